-- Ends the sessions of an owner, the oldest first and not more than a thousand at once, and refuses its earlier logins.
-- As in admit.lua, nothing changes unless all of them are named.
-- KEYS: the owner's expiry, order and revocation, the sessions.
-- ARGV: now, reason, stamp (twenty digits), the sid that is kept or '', the sids of the sessions.
local now, stamp, except = tonumber(ARGV[1]), ARGV[3], ARGV[4]
local expiry, order, revoked = KEYS[1], KEYS[2], KEYS[3]
local keys = {}
for place = 4, #KEYS do keys[ARGV[place + 1]] = KEYS[place] end
local going, is_named, left = {}, true, 'NONE'
for _, member in ipairs(redis.call('ZRANGE', order, 0, 1001)) do
  if member ~= except then
    if #going == 1000 then
      left = 'MORE'
      break
    end
    going[#going + 1] = member
    is_named = is_named and keys[member]
  end
end
if not is_named then
  table.insert(going, 1, 'NAME')
  return going
end

local before = redis.call('GET', revoked)
if before then
  local high, low = tonumber(string.sub(before, 1, 10)), tonumber(string.sub(before, 11))
  local new_high, new_low = tonumber(string.sub(stamp, 1, 10)), tonumber(string.sub(stamp, 11))
  if new_high < high or (new_high == high and new_low < low) then stamp = before end
end
-- Remembered for longer than the owner's last session.
local longest = math.max(0, redis.call('PTTL', expiry), redis.call('PTTL', revoked) - 2 * GRACE)
redis.call('SET', revoked, stamp, 'PX', text(longest + 2 * GRACE))
local answer = {'ENDED', left}
for _, member in ipairs(going) do
  if strike(expiry, order, member, keys[member], ARGV[2], now) then
    answer[#answer + 1] = member
    note_one(keys[member])
  end
end
note()
return answer
