// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "witness/witness.h"

namespace fiducia::witness {
namespace {

std::unexpected<Error> bad_request(std::string what, std::optional<std::uint64_t> offset = {}) {
  return fail_malformed("request", std::move(what), offset);
}

/// Takes one line off `rest`, without its line feed; absent when none is left.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace

Result<AddCheckpoint> read_add_checkpoint(std::string_view body) {
  if (body.size() > limits::witness_request_bytes_max)
    return bad_request("The request is larger than " +
                       std::to_string(limits::witness_request_bytes_max) + " bytes.");
  std::string_view rest = body;
  const auto first = take_line(rest);
  constexpr std::string_view label = "old ";
  if (!first || !first->starts_with(label))
    return bad_request("The first line is not \"old\", a space and a tree size.", 0);
  AddCheckpoint request;
  const std::string_view digits = first->substr(label.size());
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), request.old_size);
  if (error != std::errc{} || end != digits.data() + digits.size() ||
      (digits.size() > 1 && digits.front() == '0'))
    return bad_request("The old size is not a decimal number below 2^64 without leading zeroes.",
                       label.size());
  for (;;) {
    const std::uint64_t offset = body.size() - rest.size();
    const auto line = take_line(rest);
    if (!line) return bad_request("No empty line follows the consistency proof.", offset);
    if (line->empty()) break;
    if (request.proof.size() == limits::witness_proof_lines_max)
      return bad_request("The consistency proof has more than " +
                             std::to_string(limits::witness_proof_lines_max) + " lines.",
                         offset);
    const auto hash = digest_from_base64(*line);
    if (!hash)
      return bad_request("A line of the consistency proof is not 32 bytes in base64.", offset);
    request.proof.push_back(*hash);
  }
  if (rest.empty()) return bad_request("No checkpoint follows the empty line.", body.size());
  request.note = rest;
  return request;
}

std::string write_add_checkpoint(const AddCheckpoint& request) {
  std::string body = "old " + std::to_string(request.old_size) + "\n";
  for (const Digest& hash : request.proof) body += to_base64(hash.view()) + "\n";
  body += "\n";
  body += request.note;
  return body;
}

}  // namespace fiducia::witness
