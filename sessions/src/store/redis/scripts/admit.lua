-- Stores a new session of an owner, within the limit. Sessions that have to go for it are named in KEYS by the caller;
-- where one is missing nothing changes, and the answer tells which to name.
-- KEYS: the new session, the owner's expiry, order and revocation, the sessions that may go.
-- ARGV: now, deadline, expires, record, sid, began (two numbers of ten digits), the most sessions or '', what happens at
-- the limit, the sid that is replaced or '', the sids of the sessions that may go.
local time, now = redis.call('TIME'), tonumber(ARGV[1])
if time[1] * 1000000 + time[2] > tonumber(ARGV[2]) then return {'LATE', time[1], time[2]} end
local expires, record, sid = tonumber(ARGV[3]), ARGV[4], ARGV[5]
local most, behavior, replaces = tonumber(ARGV[8]), ARGV[9], ARGV[10]
local expiry, order, revoked = KEYS[2], KEYS[3], KEYS[4]
if look(KEYS[1], now) ~= 'absent' then return {'EXISTS', time[1], time[2]} end

local stamp = redis.call('GET', revoked)
if stamp then
  local high, low = tonumber(string.sub(stamp, 1, 10)), tonumber(string.sub(stamp, 11))
  local began_high, began_low = tonumber(ARGV[6]), tonumber(ARGV[7])
  if began_high < high or (began_high == high and began_low < low) then return {'REVOKED', time[1], time[2]} end
end

local keys = {}
for place = 5, #KEYS do keys[ARGV[place + 6]] = KEYS[place] end
local going, unnamed = {}, {}
local function let_go(member, reason)
  going[#going + 1] = {member, reason}
  if not keys[member] then unnamed[#unnamed + 1] = member end
end
local function lives(member)
  local instant = redis.call('ZSCORE', expiry, member)
  return instant and tonumber(instant) > now
end

for _, member in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', text(now), 'LIMIT', 0, 100)) do
  let_go(member, 'L')
end
local count = redis.call('ZCOUNT', expiry, '(' .. text(now), '+inf')
if replaces ~= '' and lives(replaces) then
  count = count - 1
  let_go(replaces, 'S')
else
  replaces = ''
end
local others = {}
if most and count > most - 1 then
  if behavior == 'reject' then return {'LIMIT', time[1], time[2], text(count)} end
  local over = count - (most - 1)
  if behavior == 'all' then over = count end
  for _, member in ipairs(redis.call('ZRANGE', order, 0, -1)) do
    if member ~= replaces and lives(member) then
      if over > 0 then
        let_go(member, 'V')
        over = over - 1
      elseif #others < 16 then
        -- Who is next, if someone else logs in meanwhile.
        others[#others + 1] = member
      end
    end
  end
end
if #unnamed > 0 then
  local names = {'NAME', time[1], time[2]}
  for _, one in ipairs(going) do names[#names + 1] = one[1] end
  for _, member in ipairs(others) do names[#names + 1] = member end
  return names
end

local answer = {'STORED', time[1], time[2]}
for _, one in ipairs(going) do
  if strike(expiry, order, one[1], keys[one[1]], one[2], now) and one[2] == 'V' then
    answer[#answer + 1] = one[1]
    note_one(keys[one[1]])
  end
end
note()
local least = stay(expires, now)
redis.call('SET', KEYS[1], 'S' .. bytes(expires) .. record, 'PX', least)
local last = redis.call('ZRANGE', order, -1, -1, 'WITHSCORES')
redis.call('ZADD', order, text((tonumber(last[2]) or 0) + 1), sid)
redis.call('ZADD', expiry, ARGV[3], sid)
keep(expiry, order, revoked, tonumber(least))
return answer
