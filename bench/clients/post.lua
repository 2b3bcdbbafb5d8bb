-- wrk -s post.lua ... -- BYTES: every request is a POST with a body of BYTES.
function init(arguments)
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(arguments[1]))
end
