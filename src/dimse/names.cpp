// SPDX-License-Identifier: Apache-2.0
#include "dimse/names.h"

#include <algorithm>

namespace fiducia::dimse {

Result<std::string> read_ae_title(ByteView bytes) {
  std::string_view title = as_text(bytes);
  while (!title.empty() && (title.back() == ' ' || title.back() == '\0')) title.remove_suffix(1);
  while (!title.empty() && title.front() == ' ') title.remove_prefix(1);
  const auto is_allowed = [](char c) { return c >= ' ' && c < 0x7F && c != '\\'; };
  if (title.empty() || title.size() > 16 || !std::ranges::all_of(title, is_allowed))
    return fail_malformed("ae_title",
                          "an application entity title has 1 to 16 characters, none of them a "
                          "backslash or a control character.");
  return std::string{title};
}

Result<std::string> read_uid(ByteView bytes) {
  std::string_view uid = as_text(bytes);
  if (!uid.empty() && (uid.back() == '\0' || uid.back() == ' ')) uid.remove_suffix(1);
  const auto is_allowed = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  if (uid.empty() || uid.size() > 64 || !std::ranges::all_of(uid, is_allowed))
    return fail_malformed("uid", "a UID has 1 to 64 digits and dots.");
  return std::string{uid};
}

}  // namespace fiducia::dimse
