-- Frees what has expired under a key: a session becomes a tombstone first, while it has to be remembered.
-- KEYS: a session or tombstone. ARGV: now. Answers whether something was freed, and the reason if it has ended.
local now = tonumber(ARGV[1])
local head = redis.call('GETRANGE', KEYS[1], 0, 8)
if head == '' then return {'0', ''} end
local is_over = number_at(head, 2) <= now
local _, reason = look(KEYS[1], now)
if not is_over then return {'0', string.sub(head, 1, 1) == 'E' and reason or ''} end
return {'1', reason or ''}
