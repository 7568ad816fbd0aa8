-- Moves the last use and the end of a live session forward, never back.
-- KEYS: the session; of an owner's session also the owner's expiry, order and revocation.
-- ARGV: seen, expires, sid.
local seen, expires = tonumber(ARGV[1]), tonumber(ARGV[2])
local state, head = look(KEYS[1], seen)
if state ~= 'live' then return {'GONE'} end
local last_seen = string.sub(head, 18, 25)
if seen > number_at(head, 18) then last_seen = bytes(seen) end
expires = math.max(expires, number_at(head, 2))
redis.call('SETRANGE', KEYS[1], 1, bytes(expires) .. string.sub(head, 10, 17) .. last_seen)
local least = stay(expires, seen)
redis.call('PEXPIRE', KEYS[1], least)
if KEYS[2] then
  redis.call('ZADD', KEYS[2], 'XX', text(expires), ARGV[3])
  keep(KEYS[2], KEYS[3], KEYS[4], tonumber(least))
end
return {'NOTED'}
