// SPDX-License-Identifier: Apache-2.0
#include "ledger/check_state.h"

#include <algorithm>

#include "crypto/crypto.h"
#include "ledger_format/tree.h"

namespace fiducia::ledger {
namespace {

constexpr std::string_view format_name = "fiducia.ledger-check-state/1";
/// Full bundles of a tree below 2^64 entries.
constexpr std::uint64_t bundles_max = ~std::uint64_t{0} / ledger_format::tile_width;

std::unexpected<Error> bad_state_file(std::string what) {
  auto error = fail_malformed("check_state", std::move(what));
  error.error().remedy = "Check from the beginning: name a new file.";
  return error;
}

Bytes write_body(const CheckState& state) {
  crypto::CborWriter cbor;
  cbor.array(7);
  cbor.text(format_name);
  cbor.text(state.origin);
  cbor.text(state.vkey);
  cbor.uint(state.bundles);
  cbor.array(state.levels.size());
  for (const std::vector<Digest>& row : state.levels) {
    cbor.bytes_head(row.size() * sizeof(Digest));
    for (const Digest& hash : row) cbor.raw(hash.view());
  }
  cbor.bytes(state.root.view());
  cbor.boolean(state.finished);
  return cbor.take();
}

Result<Digest> read_hash(crypto::CborReader& cbor) {
  FIDUCIA_TRY(bytes, cbor.bytes());
  const auto digest = digest_from_bytes(bytes);
  if (!digest) return bad_state_file("A hash in it is not 32 bytes long.");
  return *digest;
}

Status read_levels(crypto::CborReader& cbor, CheckState& state) {
  FIDUCIA_TRY(count, cbor.array());
  if (count > ledger_format::tile_levels_max)
    return bad_state_file("It has more tile rows than a log.");
  const auto levels = static_cast<unsigned>(count);
  const std::uint64_t size = state.bundles * ledger_format::tile_width;
  for (unsigned level = 0; level < levels; ++level) {
    const std::uint64_t hashes =
        ledger_format::shifted_right(size, ledger_format::tile_height * level);
    FIDUCIA_TRY(bytes, cbor.bytes());
    if (hashes == 0 || bytes.size() != hashes % ledger_format::tile_width * sizeof(Digest))
      return bad_state_file("Its tile rows do not fit its number of entries.");
    std::vector<Digest> row(bytes.size() / sizeof(Digest));
    for (std::size_t i = 0; i < row.size(); ++i)
      std::copy_n(bytes.data() + i * sizeof(Digest), sizeof(Digest), row[i].bytes.data());
    state.levels.push_back(std::move(row));
  }
  if (ledger_format::shifted_right(size, ledger_format::tile_height * levels) != 0)
    return bad_state_file("Its tile rows do not fit its number of entries.");
  return {};
}

Result<CheckState> read_body(ByteView body) {
  crypto::CborReader cbor{body};
  FIDUCIA_TRY(count, cbor.array());
  if (count != 7) return bad_state_file("It does not have the fields of a state.");
  FIDUCIA_TRY(format, cbor.text());
  if (format != format_name) return bad_state_file("It is not a state of this version.");
  CheckState state;
  FIDUCIA_TRY(origin, cbor.text());
  state.origin = origin;
  FIDUCIA_TRY(vkey, cbor.text());
  state.vkey = vkey;
  FIDUCIA_TRY(bundles, cbor.uint());
  if (bundles > bundles_max) return bad_state_file("It counts more entries than a log can have.");
  state.bundles = bundles;
  FIDUCIA_CHECK(read_levels(cbor, state));
  FIDUCIA_TRY(root, read_hash(cbor));
  state.root = root;
  FIDUCIA_TRY(finished, cbor.boolean());
  state.finished = finished;
  FIDUCIA_CHECK(cbor.finish());
  if (ledger_format::root_of_levels(state.levels) != state.root)
    return bad_state_file("Its tile rows have another root.");
  return state;
}

}  // namespace

Bytes write_check_state(const CheckState& state) {
  const Bytes body = write_body(state);
  crypto::CborWriter cbor;
  cbor.array(2);
  cbor.bytes(body);
  cbor.bytes(crypto::sha256(body).view());
  return cbor.take();
}

Result<CheckState> read_check_state(ByteView encoded) {
  // Whatever the inner reader finds wrong, to the caller it is one thing: no state of a check.
  const auto refused = [](Error error) {
    error.code = ErrorCode::malformed;
    error.kind = "check_state";
    error.remedy = "Check from the beginning: name a new file.";
    return std::unexpected(std::move(error));
  };
  if (encoded.size() > limits::ledger_check_state_bytes_max)
    return bad_state_file("It is longer than a state can be.");
  crypto::CborReader cbor{encoded};
  const auto count = cbor.array();
  if (!count) return refused(count.error());
  if (*count != 2) return bad_state_file("It is not the state of a check.");
  const auto body = cbor.bytes();
  if (!body) return refused(body.error());
  const auto digest = read_hash(cbor);
  if (!digest) return refused(digest.error());
  if (const auto end = cbor.finish(); !end) return refused(end.error());
  if (crypto::sha256(*body) != *digest)
    return bad_state_file("Its digest does not match: it was damaged.");
  auto state = read_body(*body);
  if (!state) return refused(std::move(state).error());
  return state;
}

Result<std::optional<CheckState>> find_check_state(const std::filesystem::path& file,
                                                   bool incremental) {
  FIDUCIA_TRY(found, find_file(file, limits::ledger_check_state_bytes_max));
  if (!found) return std::nullopt;
  auto state = read_check_state(*found);
  if (!state) {
    state.error().where.file = file.string();
    return std::unexpected(std::move(state).error());
  }
  if (state->finished && !incremental) return std::nullopt;
  return std::optional{std::move(*state)};
}

}  // namespace fiducia::ledger
