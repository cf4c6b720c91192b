// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/gzip.h"

#include <algorithm>

#include "deflate/deflate.h"

namespace fiducia::ledger_net {
namespace {

constexpr std::string_view blanks = " \t";

bool same_ignoring_case(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

/// Whether the parameters of one coding say "q=0", in any of its spellings.
bool is_weightless(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view one = trimmed(parameters.substr(0, end), blanks);
    if (one.size() > 2 && same_ignoring_case(one.substr(0, 2), "q="))
      return one.find_first_not_of("0.", 2) == std::string_view::npos;
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return false;
}

}  // namespace

Bytes gzip(ByteView bytes) { return deflate::deflate(bytes, deflate::Form::gzip); }

Result<Bytes> gunzip(ByteView bytes, std::uint64_t bytes_max) {
  auto plain = deflate::inflate(
      bytes,
      {.form = deflate::Form::gzip, .bytes_max = bytes_max, .bytes_expected = 0, .origin = 0});
  // A member that ends too early is as little a whole one as one that is damaged.
  if (!plain && plain.error().code == ErrorCode::truncated)
    return fail_malformed("gzip", "The bytes are not one whole gzip member.");
  if (!plain) return std::unexpected(std::move(plain).error());
  if (plain->bytes_after != 0) return fail_malformed("gzip", "Bytes follow the gzip member.");
  return std::move(plain->bytes);
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named;
  bool any = false;
  while (!accept_encoding.empty()) {
    const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view item = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const std::size_t mark = std::min(item.find(';'), item.size());
    const std::string_view coding = trimmed(item.substr(0, mark), blanks);
    const bool wanted = !is_weightless(item.substr(mark));
    if (same_ignoring_case(coding, "gzip") || same_ignoring_case(coding, "x-gzip")) named = wanted;
    if (coding == "*") any = wanted;
  }
  return named.value_or(any);
}

}  // namespace fiducia::ledger_net
