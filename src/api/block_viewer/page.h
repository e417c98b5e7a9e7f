// The page of blocks: page.html, page.css and page.js, as text in the program.
//
// Threads: constants.

#pragma once

namespace gauntlet::api {

extern const char kPageHtml[], kPageCss[], kPageJs[];

}  // namespace gauntlet::api
