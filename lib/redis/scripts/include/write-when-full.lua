-- write-when-full: lets a script write when the server is out of memory (`maxmemory` with `noeviction`), because the
-- script keeps or frees something. Servers refuse a command that may take memory only if it is the script's first write: this
-- one takes nothing and changes nothing. Call it before any other write.
--
-- writeWhenFull(key)
--   key    any key of the script; it may be of any type
local function writeWhenFull(key)
  redis.pcall('HDEL', key, '')
end
