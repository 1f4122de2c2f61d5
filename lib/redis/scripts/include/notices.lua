-- notices: reports what a script found and worked around, in addition to its reply.
--
-- isSound(key, expected)      whether a key has that type or does not exist, so that the script may use it; reports any
--                             other key once
-- noteDropped(from, count)    reports that ids without a stored task were removed from a place
-- withNotices(reply)          the reply, or an array of the notices, four fields each, and the reply
local notices, looked = {}, {}

local function isSound(key, expected)
  if looked[key] == nil then
    local found = redis.call('TYPE', key)['ok']
    looked[key] = found == 'none' or found == expected
    if not looked[key] then
      local at = #notices
      notices[at + 1], notices[at + 2], notices[at + 3], notices[at + 4] = 'WRONG_TYPE', key, expected, found
    end
  end
  return looked[key]
end

local function noteDropped(from, count)
  if count > 0 then
    local at = #notices
    notices[at + 1], notices[at + 2], notices[at + 3], notices[at + 4] = 'DROPPED', from, count, ''
  end
end

local function withNotices(reply)
  return #notices == 0 and reply or { notices, reply }
end
