-- What comes before a script that also notes events in the outbox. Its last key is the stream; its last arguments are how long
-- events are kept (milliseconds), what is before, between and behind the two handles in the event of each session that ends
-- (three, empty if there is none), the events of the change, and how many of these there are.
--
-- An event's place is the server's milliseconds and a number that grows by one from event to event of the stream, so that a
-- consumer can tell how many are gone.
local stream = table.remove(KEYS)
local events = {}
for place = tonumber(table.remove(ARGV)), 1, -1 do events[place] = table.remove(ARGV) end
local behind, between, before = table.remove(ARGV), table.remove(ARGV), table.remove(ARGV)
local kept = tonumber(table.remove(ARGV))
-- What is no stream is refused here, before anything has changed.
redis.call('XLEN', stream)

local function append(event)
  local time = redis.call('TIME')
  local millis, number = time[1] * 1000 + math.floor(time[2] / 1000), 0
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local oldest = text(math.max(0, millis - kept))
  if last then
    local then_, its = string.match(last[1], '^(%d+)-(%d+)$')
    millis, number = math.max(millis, tonumber(then_)), tonumber(its)
  end
  local place = text(millis) .. '-' .. text(number + 1)
  redis.call('XADD', stream, 'MINID', '=', oldest, place, 'event', event)
  redis.call('PEXPIRE', stream, text(2 * kept + GRACE))
end

local function note()
  for _, event in ipairs(events) do append(event) end
end

-- Of the session of a key, which ends in its handle.
local function note_one(key)
  if before == '' then return end
  local handle = string.sub(key, -22)
  append(before .. handle .. between .. handle .. behind)
end
