// SPDX-License-Identifier: Apache-2.0
// What a stranger asks a tile server for: request target and header fields, lines of the input.
#include "http/grammar.h"
#include "ledger_format/tree.h"
#include "ledger_net/tile_server.h"
#include "target.h"

using namespace fiducia;

namespace {

/// Has everything: whatever is asked of it was let through.
class Everything final : public ledger::ObjectSource {
 public:
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override {
    Bytes content;
    if (path == "checkpoint") {
      append(content, as_bytes("example.org/log\n70000\n"
                               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
                               "\xE2\x80\x94 example.org/log AAAAAQAB\n"));
      return content;
    }
    // Spelt as the log spells it, inside the tree, and nowhere else.
    const auto address = ledger_format::read_tile_path(path);
    FIDUCIA_ASSERT(address.has_value() && ledger_format::tile_path(*address) == path);
    const unsigned level = address->level.value_or(0);
    FIDUCIA_ASSERT(ledger_format::tile_width_at(level, address->index, 70'000) > 0);
    content.resize(address->width * (address->level ? sizeof(Digest) : 2));
    FIDUCIA_ASSERT(content.size() <= bytes_max);
    return content;
  }
  [[nodiscard]] std::string name_of(const std::string& path) const override { return path; }
};

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

FIDUCIA_FUZZ_TARGET(tile_request) {
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  const auto target = http::read_target(next_line(rest));
  if (!target) return 0;
  FIDUCIA_ASSERT(target->path.starts_with('/') && !target->path.contains('?'));
  const std::string accept{next_line(rest)};
  const std::string known{next_line(rest)};
  const ledger_net::TileServer server{std::make_shared<Everything>()};
  const http::Response response =
      server.answer({.method = "GET",
                     .path = std::string{target->path},
                     .query = std::string{target->query},
                     .headers = {{"accept-encoding", accept}, {"if-none-match", known}},
                     .body = {},
                     .peer = {}});
  const unsigned status = response.status;
  FIDUCIA_ASSERT(status == 200 || status == 304 || status == 404);
  for (const auto& [name, value] : response.headers)
    FIDUCIA_ASSERT(http::is_token(name) && http::is_field_value(value));
  if (status != 200) return 0;
  // A path that is served has one spelling.
  if (target->path == "/checkpoint") return 0;
  const auto address = ledger_format::read_tile_path(target->path.substr(1));
  FIDUCIA_ASSERT(address.has_value() && "/" + ledger_format::tile_path(*address) == target->path);
  return 0;
}
