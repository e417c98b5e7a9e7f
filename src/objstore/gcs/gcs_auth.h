// Who asks Google: a token for a service account, for a person, or for the machine that this runs on.
//
// Format:  OAuth 2.0 of Google: JWT bearer grant, refresh token, metadata server
// Threads: as Authorizer.

#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "io/file_system.h"
#include "objstore/rest/request.h"

namespace gauntlet::objstore {

// `credentials`: the JSON of a key; "" = application default credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud's
// file, the metadata server.
Result<std::unique_ptr<Authorizer>> MakeGcsAuthorizer(std::string credentials, io::FileSystem& files, Clock& clock);

// The assertion that a service account signs: three parts in base64, with dots.
Result<std::string> GoogleAssertion(std::string_view email, std::string_view key_id, std::string_view private_key_pem,
                                    std::string_view audience, int64_t now_s);

}  // namespace gauntlet::objstore
