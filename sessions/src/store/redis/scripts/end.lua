-- Ends one session.
-- KEYS: the session; of an owner's session also the owner's expiry and order.
-- ARGV: now, reason, sid.
local now = tonumber(ARGV[1])
local state = look(KEYS[1], now)
if state == 'live' then
  note_one(KEYS[1])
  note()
  entomb(KEYS[1], ARGV[2], now + GRACE, now)
  tell(KEYS[1], '')
end
if KEYS[2] then
  redis.call('ZREM', KEYS[2], ARGV[3])
  redis.call('ZREM', KEYS[3], ARGV[3])
end
if state == 'live' then return {'ENDED', 'NONE', ARGV[3]} end
return {'ENDED', 'NONE'}
