// SPDX-License-Identifier: Apache-2.0
// Replies of an S3 server, and files of credentials.
#include "ledger_s3/s3_reply.h"

#include <algorithm>

#include "ledger_s3/s3_signature.h"
#include "target.h"

using namespace fiducia;

FIDUCIA_FUZZ_TARGET(s3_reply) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string code = ledger_s3::read_s3_error_code(as_bytes(text));
  FIDUCIA_ASSERT(code.size() <= 64);
  FIDUCIA_ASSERT(std::ranges::all_of(code, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }));
  // A word is only ever read from where it is marked, and only that word says "absent".
  FIDUCIA_ASSERT(code.empty() || text.find("<Code>" + code + "<") != std::string_view::npos);
  for (const unsigned status : {200U, 403U, 404U, 412U, 500U}) {
    const bool is_absent = ledger_s3::judge_s3_reply(status, code) == ledger_s3::S3Outcome::absent;
    FIDUCIA_ASSERT(is_absent == (status == 404 && code == "NoSuchKey"));
    FIDUCIA_ASSERT(!ledger_s3::s3_remedy(status, code).empty());
  }
  const auto widths = ledger_s3::read_s3_partial_widths(as_bytes(text));
  FIDUCIA_ASSERT(widths.size() <= 255);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    FIDUCIA_ASSERT(widths[i] >= 1 && widths[i] <= 255 && (i == 0 || widths[i - 1] < widths[i]));
    FIDUCIA_ASSERT(text.find(".p/" + std::to_string(widths[i]) + "</Key>") !=
                   std::string_view::npos);
  }
  const auto credentials = ledger_s3::read_s3_credentials(text);
  if (!credentials) return 0;
  // What was read is all that a file needs to say.
  std::string again = "[default]\naws_access_key_id=" + credentials->access_key() +
                      "\naws_secret_access_key=" + std::string{as_text(credentials->secret_key())};
  if (!credentials->session_token().empty())
    again += "\naws_session_token=" + credentials->session_token();
  const auto second = ledger_s3::read_s3_credentials(again);
  FIDUCIA_ASSERT(second.has_value());
  FIDUCIA_ASSERT(second->access_key() == credentials->access_key());
  FIDUCIA_ASSERT(same_bytes(second->secret_key(), credentials->secret_key()));
  FIDUCIA_ASSERT(second->session_token() == credentials->session_token());
  return 0;
}
