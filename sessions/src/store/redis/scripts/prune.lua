-- Takes sessions that have expired out of their owner's index, and makes tombstones of them.
-- KEYS: the owner's expiry and order, the sessions. ARGV: now, their sids. Answers how many have gone.
local now, gone = tonumber(ARGV[1]), 0
for place = 3, #KEYS do
  local sid = ARGV[place - 1]
  local instant = redis.call('ZSCORE', KEYS[1], sid)
  if instant and tonumber(instant) <= now then
    strike(KEYS[1], KEYS[2], sid, KEYS[place], 'L', now)
    gone = gone + 1
  end
end
return gone
