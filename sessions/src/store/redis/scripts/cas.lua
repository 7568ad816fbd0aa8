-- Writes a record if the stored version is the expected one.
-- KEYS and ARGV: see known.lua, which comes before.
local now = tonumber(ARGV[1])
local version, value, least = string.sub(ARGV[3], 10, 17), ARGV[4], ARGV[5]
local state, head = look(KEYS[1], now)
if state == 'ended' then return {'GONE', time[1], time[2], head} end
if state == 'absent' and version ~= '' then return {'GONE', time[1], time[2], ''} end
if state == 'live' then
  if string.sub(head, 10, 17) ~= version then
    return {'CONFLICT', time[1], time[2], redis.call('GET', KEYS[1])}
  end
  -- The last use never moves back, nor the end that it has given.
  if number_at(head, 18) > number_at(value, 18) then
    local expires = math.max(number_at(head, 2), number_at(value, 2))
    value = 'S' .. bytes(expires) .. string.sub(value, 10, 17) .. string.sub(head, 18, 25) .. string.sub(value, 26)
    least = stay(expires, now)
  end
end
note()
redis.call('SET', KEYS[1], value, 'PX', least)
if KEYS[2] then
  redis.call('ZADD', KEYS[2], 'XX', text(number_at(value, 2)), ARGV[6])
  keep(KEYS[2], KEYS[3], KEYS[4], tonumber(least))
end
if ARGV[7] == '1' then tell(KEYS[1], string.sub(value, 10, 17)) end
return at
