// Paths as strings: joined, and taken apart at the slashes.
//
// Threads: free functions on values.

#pragma once

#include <string>
#include <string_view>

namespace gauntlet::io {

// "a" and "b/c" are "a/b/c"; an absolute `name` stands alone, and so does a name joined to "".
std::string JoinPath(std::string_view dir, std::string_view name);
// What is after the last slash: "c".
std::string_view BaseName(std::string_view path);
// What is before it: "a/b"; "." when there is none, "/" for a child of the root.
std::string_view DirName(std::string_view path);

}  // namespace gauntlet::io
