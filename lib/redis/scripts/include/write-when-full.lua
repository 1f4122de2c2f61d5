-- write-when-full: lets a script write although the server's memory is full (`maxmemory` with `noeviction`), because what
-- it does keeps or frees something. Servers refuse the first write of a script that may take memory, and none after that:
-- this one takes nothing and changes nothing. Call it before any other write.
--
-- writeWhenFull(key)
--   key    any key of the script; it may be of any type
local function writeWhenFull(key)
  redis.pcall('HDEL', key, '')
end
