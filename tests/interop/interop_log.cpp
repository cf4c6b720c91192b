// SPDX-License-Identifier: Apache-2.0
// Our side of the interoperability tests:
//   interop_log write FOLDER   makes a log there, and what we claim about it
//   interop_log check FOLDER   checks a log that somebody else made; exit 2 where it is damaged
// FOLDER/log is the log, FOLDER/vkey its verifier key. `write` adds:
//   claims             inclusion SIZE INDEX HASH... | consistency FIRST SIZE HASH... (hex)
//   checkpoints/SIZE   each signed checkpoint; receipts/SIZE-INDEX, proofs/INDEX.tlog-proof
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_format/ledger_format.h"

namespace {

using namespace fiducia;
namespace fs = std::filesystem;

constexpr UnixTime noon{1'764'000'000};
const std::string origin = "example.org/interop";

/// Entries of many lengths: none at all, the longest, and all sorts between.
Bytes entry_at(std::uint64_t index) {
  const std::size_t length = index == 2     ? 0
                             : index == 300 ? limits::ledger_entry_bytes_max
                                            : 1 + (index * 7919) % 97;
  Bytes entry(length);
  for (std::size_t i = 0; i < length; ++i) entry[i] = static_cast<std::byte>(index * 31 + i);
  return entry;
}

std::string hex_list(const std::vector<Digest>& hashes) {
  std::string list;
  for (const Digest& hash : hashes) list += " " + to_hex(hash.view());
  return list;
}

Status write_claims(const fs::path& folder, const ledger_format::VerifierKey& vkey) {
  FIDUCIA_TRY(reader, ledger::LogReader::open(folder / "log", vkey));
  const std::uint64_t size = reader.status().tree_size;
  std::string claims;
  for (std::uint64_t index = 0; index < size; ++index) {
    FIDUCIA_TRY(path, reader.inclusion_proof(index));
    claims +=
        "inclusion " + std::to_string(size) + " " + std::to_string(index) + hex_list(path) + "\n";
    if (index % 50 != 0) continue;
    const std::string proof = ledger_format::write_tlog_proof(index, path, reader.checkpoint());
    FIDUCIA_CHECK(durable_write(folder / "proofs" / (std::to_string(index) + ".tlog-proof"),
                                as_bytes(proof)));
  }
  for (std::uint64_t first = 1; first <= size; ++first) {
    FIDUCIA_TRY(path, reader.consistency_proof(first));
    claims +=
        "consistency " + std::to_string(first) + " " + std::to_string(size) + hex_list(path) + "\n";
  }
  return durable_write(folder / "claims", as_bytes(claims));
}

Status write_log(const fs::path& folder) {
  FIDUCIA_TRY(key, crypto::PrivateKey::generate(crypto::KeyKind::ed25519));
  const ledger_format::VerifierKey vkey = ledger_format::make_vkey(
      origin, ledger_format::NoteKeyType::ed25519, key.public_key().write_ed25519());
  for (const char* name : {"checkpoints", "receipts", "proofs"})
    fs::create_directories(folder / name);
  FIDUCIA_CHECK(durable_write(folder / "vkey", as_bytes(ledger_format::write_vkey(vkey))));
  FIDUCIA_CHECK(ledger::Log::create(folder / "log", origin, key, noon));
  FIDUCIA_TRY(log, ledger::Log::open(folder / "log", std::move(key), [] { return noon; }));
  for (const std::uint64_t size :
       {2U, 3U, 4U, 5U, 7U, 8U, 9U, 100U, 255U, 256U, 257U, 300U, 511U, 512U, 513U, 700U}) {
    const std::uint64_t first = log.status().tree_size;
    std::vector<Bytes> entries;
    for (std::uint64_t index = first; index < size; ++index) entries.push_back(entry_at(index));
    FIDUCIA_TRY(answers, log.append(entries));
    FIDUCIA_CHECK(
        durable_write(folder / "checkpoints" / std::to_string(size), as_bytes(log.checkpoint())));
    for (const ledger_format::Appended& answer : {answers.front(), answers.back()})
      FIDUCIA_CHECK(
          durable_write(folder / "receipts" /
                            (std::to_string(answer.tree_size) + "-" + std::to_string(answer.index)),
                        answer.receipt));
  }
  FIDUCIA_CHECK(log.flush());
  return write_claims(folder, vkey);
}

/// 0 fine, 2 damaged.
Result<int> check(const fs::path& folder) {
  FIDUCIA_TRY(text, read_file(folder / "vkey", 4096));
  FIDUCIA_TRY(vkey, ledger_format::read_vkey(as_text(text)));
  FIDUCIA_TRY(found, ledger::check_log(folder / "log", vkey));
  std::printf("%s\n", found.text.c_str());
  return found.ok ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 3 ? argv[1] : "";
  Result<int> result = 0;
  if (verb == "check") {
    result = check(argv[2]);
  } else if (verb == "write") {
    if (auto written = write_log(argv[2]); !written) result = std::unexpected(written.error());
  } else {
    std::fprintf(stderr, "interop_log write|check FOLDER\n");
    return 1;
  }
  if (result) return *result;
  std::fprintf(stderr, "%s\n", to_sentence(result.error()).c_str());
  return 1;
}
