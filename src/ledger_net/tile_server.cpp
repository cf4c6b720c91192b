// SPDX-License-Identifier: Apache-2.0
#include "ledger_net/tile_server.h"

#include <algorithm>

#include "ledger_format/bundle.h"
#include "ledger_net/gzip.h"

namespace fiducia::ledger_net {
namespace {

constexpr unsigned full_width = ledger_format::tile_width;
constexpr const char* tile_cache = "public, max-age=604800, immutable";
constexpr std::size_t tag_bytes = 16;  // of a hash; tells contents apart, protects nothing
/// Packing has to save this part of the bytes, or the client's work is for nothing.
constexpr std::size_t saving_divisor = 16;

static_assert(ledger_format::bundle_bytes_max <= limits::http_response_bytes_max);

http::Response say(unsigned status, std::string_view text) {
  http::Response response{
      .status = status,
      .headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}}};
  append(response.body, as_bytes(text));
  append(response.body, as_bytes("\n"));
  return response;
}

http::Response unavailable() {
  http::Response response = say(503, "The log cannot be read at the moment.");
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

/// Whether If-None-Match (RFC 9110 section 13.1.2) names `tag`; tags are compared weakly.
bool is_known(const http::Request& request, std::string_view tag) {
  const auto field = http::find_header(request.headers, "if-none-match");
  if (!field) return false;
  if (*field == "*") return true;
  // Our tags are quoted hexadecimal digits, which nobody else's tag can hold in part.
  return field->contains(tag);
}

/// A response to GET with `body`, or 304 where the client has it.
http::Response give(const http::Request& request, Bytes body, http::Headers headers) {
  const std::string tag = '"' + to_hex(crypto::sha256(body).view().first(tag_bytes)) + '"';
  headers.emplace_back("ETag", tag);
  headers.emplace_back("Access-Control-Allow-Origin", "*");  // browsers may check the log
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  if (is_known(request, tag)) return {.status = 304, .headers = std::move(headers)};
  return {.status = 200, .headers = std::move(headers), .body = std::move(body)};
}

/// Whether `content` can be the tile or bundle `address`, cut to its width if it comes from a form
/// of `stored` hashes or entries.
bool cut_to_width(Bytes& content, const ledger_format::TileAddress& address, unsigned stored) {
  if (address.level) {
    if (content.size() != stored * sizeof(Digest)) return false;
    content.resize(address.width * sizeof(Digest));
    return true;
  }
  const auto entries = ledger_format::read_bundle(content, stored, /*exact=*/true);
  if (!entries) return false;
  const ByteView last = (*entries)[address.width - 1];
  content.resize(static_cast<std::size_t>(last.data() + last.size() - content.data()));
  return true;
}

}  // namespace

http::Response TileServer::answer(const http::Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Response response = say(405, "Only GET and HEAD.");
    response.headers.emplace_back("Allow", "GET, HEAD");
    return response;
  }
  const std::string_view path = std::string_view{request.path}.substr(1);
  if (path == "checkpoint") {
    auto note = source_->read("checkpoint", limits::note_bytes_max);
    if (!note) return unavailable();
    if (!*note) return say(404, "Not found.");
    return give(request, std::move(**note),
                {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}});
  }
  const auto address = ledger_format::read_tile_path(path);
  if (!address) return say(404, "Not found.");
  return answer_tile(request, *address);
}

/// Errors: those of reading the checkpoint.
Result<bool> TileServer::is_published(const ledger_format::TileAddress& address) const {
  const auto calls_for = [&](std::uint64_t size) {
    return ledger_format::tile_width_at(address.level.value_or(0), address.index, size) >=
           address.width;
  };
  if (calls_for(published_)) return true;
  FIDUCIA_TRY(encoded, source_->read("checkpoint", limits::note_bytes_max));
  if (!encoded) return false;
  FIDUCIA_TRY(note, ledger_format::read_note(as_text(*encoded)));
  FIDUCIA_TRY(checkpoint, ledger_format::read_checkpoint(note.text));
  std::uint64_t known = published_;
  while (known < checkpoint.tree_size &&
         !published_.compare_exchange_weak(known, checkpoint.tree_size)) {
  }
  return calls_for(checkpoint.tree_size);
}

http::Response TileServer::answer_tile(const http::Request& request,
                                       const ledger_format::TileAddress& address) const {
  const auto published = is_published(address);
  if (!published) return unavailable();
  if (!*published) return say(404, "Not found.");
  const std::uint64_t bytes_max =
      address.level ? full_width * sizeof(Digest) : ledger_format::bundle_bytes_max;
  auto content = source_->read(ledger_format::tile_path(address), bytes_max);
  unsigned stored = address.width;
  // A partial form of an earlier size is the beginning of the present one, or of the full one.
  for (const unsigned width :
       {ledger_format::tile_width_at(address.level.value_or(0), address.index, published_),
        full_width}) {
    if (!content || *content || width <= address.width) continue;
    ledger_format::TileAddress wider = address;
    wider.width = width;
    content = source_->read(ledger_format::tile_path(wider), bytes_max);
    stored = width;
  }
  if (!content && content.error().code != ErrorCode::over_limit) return unavailable();
  if (content && !*content) return say(404, "Not found.");
  if (!content || !cut_to_width(**content, address, stored))
    return say(500, "The log is damaged here.");

  http::Headers headers{{"Content-Type", "application/octet-stream"},
                        {"Cache-Control", tile_cache}};
  if (address.level) return give(request, std::move(**content), std::move(headers));  // hashes
  headers.emplace_back("Vary", "Accept-Encoding");
  if (accepts_gzip(http::find_header(request.headers, "accept-encoding").value_or(""))) {
    Bytes packed = gzip(**content);
    if (packed.size() < (*content)->size() - (*content)->size() / saving_divisor) {
      headers.emplace_back("Content-Encoding", "gzip");
      return give(request, std::move(packed), std::move(headers));
    }
  }
  return give(request, std::move(**content), std::move(headers));
}

}  // namespace fiducia::ledger_net
