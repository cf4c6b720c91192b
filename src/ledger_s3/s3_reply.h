// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"

namespace fiducia::ledger_s3 {

/// The word in <Code> of an S3 error document ("NoSuchKey"): letters and digits, at most 64.
/// Empty where there is none. This is all that is ever read of an S3 server's XML, and only to
/// choose a sentence and whether to try again; but for the numbers below.
[[nodiscard]] std::string read_s3_error_code(ByteView body);

/// The numbers 1 to 255 in which keys of a list of objects end as "….p/44</Key>", each once: which
/// partial forms of a tile there are, where the list was asked for those of one tile.
[[nodiscard]] std::vector<unsigned> read_s3_partial_widths(ByteView body);

/// What a reply to a request means for the one who asked.
enum class S3Outcome {
  done,       // 2xx
  absent,     // the object is not there
  refused,    // 412: a condition of the request does not hold
  transient,  // try again: overload, a failure of the server, a request damaged on its way
  failed,     // trying again will not help
};
/// `code` is `read_s3_error_code` of the body.
[[nodiscard]] S3Outcome judge_s3_reply(unsigned status, std::string_view code);

/// What an operator can do about a reply that failed; `code` may be empty.
[[nodiscard]] std::string s3_remedy(unsigned status, std::string_view code);

}  // namespace fiducia::ledger_s3
