-- notices: what a script met and worked around, told beside its reply.
--
-- isSound(key, expected)      whether a key holds that type or nothing, so that the script may touch it; tells of one that
--                             does not, once
-- noteDropped(from, count)    tells that ids without a stored task were taken out of a place
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
