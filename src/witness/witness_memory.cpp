// SPDX-License-Identifier: Apache-2.0
#include "witness/witness_memory.h"

#include <algorithm>
#include <charconv>

#include "core/temporary.h"
#include "crypto/crypto.h"

namespace fiducia::witness {
namespace {

constexpr std::string_view memory_heading = "fiducia.witness-state/1\nsha256 ";
constexpr std::uint64_t memory_bytes_max = 2 * limits::witness_request_bytes_max;
constexpr std::uint64_t about_bytes_max = 64 << 10;

std::unexpected<Error> bad_state(std::string what) {
  auto error = fail_malformed("state", std::move(what));
  error.error().remedy =
      "The witness no longer knows what it cosigned: do not remove the file, and never put an "
      "older "
      "one in its place. Set up a new witness with a new key.";
  return error;
}

/// A file that may be missing. Errors: io_unreadable, over_limit.
Result<std::optional<Bytes>> read_if_there(const std::filesystem::path& path,
                                           std::uint64_t bytes_max) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return std::nullopt;
  FIDUCIA_TRY(bytes, read_file(path, bytes_max));
  return std::move(bytes);
}

}  // namespace

std::unexpected<Error> in_file(const std::filesystem::path& path, Error error) {
  if (error.where.file.empty()) error.where.file = path.string();
  return std::unexpected(std::move(error));
}

std::string write_witness_memory(const WitnessMemory& memory) {
  const std::string rest = "time " + std::to_string(memory.time.seconds) + "\n" + memory.note;
  return std::string{memory_heading} + to_hex(crypto::sha256(as_bytes(rest)).view()) + "\n" + rest;
}

Result<WitnessMemory> read_witness_memory(std::string_view encoded) {
  if (!encoded.starts_with(memory_heading)) return bad_state("This is not the state of a witness.");
  encoded.remove_prefix(memory_heading.size());
  const std::size_t end = encoded.find('\n');
  const auto digest = digest_from_hex(encoded.substr(0, end));
  if (end == std::string_view::npos || !digest || to_hex(digest->view()) != encoded.substr(0, end))
    return bad_state("The state has no digest.");
  encoded.remove_prefix(end + 1);
  if (crypto::sha256(as_bytes(encoded)) != *digest)
    return bad_state("The state is damaged: it does not fit its digest.");
  constexpr std::string_view time_label = "time ";
  const std::size_t line_end = encoded.find('\n');
  if (!encoded.starts_with(time_label) || line_end == std::string_view::npos)
    return bad_state("The state has no time.");
  const std::string_view digits = encoded.substr(0, line_end).substr(time_label.size());
  WitnessMemory memory;
  const auto [stop, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), memory.time.seconds);
  if (error != std::errc{} || stop != digits.data() + digits.size() || memory.time.seconds < 0 ||
      std::to_string(memory.time.seconds) != digits)
    return bad_state("The time of the state is not a number of seconds.");
  memory.note = encoded.substr(line_end + 1);
  if (memory.empty() != (memory.time.seconds == 0))
    return bad_state("The state has a time without a checkpoint, or the reverse.");
  return memory;
}

Result<std::optional<WitnessFolder::About>> WitnessFolder::about() const {
  const auto file = folder_ / "log";
  FIDUCIA_TRY(bytes, read_if_there(file, about_bytes_max));
  if (!bytes) return std::nullopt;
  std::string_view rest = as_text(*bytes);
  About about;
  for (unsigned line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line == 1) {
      about.origin = text;
      continue;
    }
    auto key = ledger_format::read_vkey(text);
    if (!key) {
      key.error().what = "Line " + std::to_string(line) + ": " + key.error().what;
      return in_file(file, std::move(key).error());
    }
    about.keys.push_back(std::move(*key));
  }
  if (about.origin.empty() || about.keys.empty())
    return in_file(file,
                   fail_malformed("log", "The file has no origin or no verifier key.").error());
  return about;
}

Status WitnessFolder::write_about(const About& about) const {
  std::string text = about.origin + "\n";
  for (const ledger_format::VerifierKey& key : about.keys)
    text += ledger_format::write_vkey(key) + "\n";
  return durable_write(folder_ / "log", as_bytes(text));
}

Result<FileLock> WitnessFolder::lock() const {
  return FileLock::acquire(folder_ / "lock", limits::witness_lock_timeout_ms);
}

void WitnessFolder::remove_leftovers() const {
  std::error_code error;
  if (!std::filesystem::is_directory(folder_, error)) return;
  const auto held = FileLock::acquire(folder_ / "lock", 0);
  if (!held) return;
  remove_temporaries(folder_,
                     [](std::string_view name) { return name == "log" || name == "state"; });
  remove_temporaries(folder_ / "evidence", [](std::string_view) { return true; });
}

bool WitnessFolder::has_memory() const {
  std::error_code error;
  return std::filesystem::symlink_status(folder_ / "state", error).type() !=
         std::filesystem::file_type::not_found;
}

Result<WitnessMemory> WitnessFolder::memory(const std::string& origin) const {
  const auto file = folder_ / "state";
  FIDUCIA_TRY(bytes, read_if_there(file, memory_bytes_max));
  if (!bytes) return in_file(file, bad_state("The state of this log is missing.").error());
  auto memory = read_witness_memory(as_text(*bytes));
  if (!memory) return in_file(file, std::move(memory).error());
  if (memory->empty()) return memory;
  const auto note = ledger_format::read_note(memory->note);
  const auto checkpoint =
      note ? ledger_format::read_checkpoint(note->text) : std::unexpected(note.error());
  if (!checkpoint || checkpoint->origin != origin)
    return in_file(file, bad_state("The state holds no checkpoint of this log.").error());
  return memory;
}

Status WitnessFolder::write_memory(const WitnessMemory& memory) const {
  return durable_write(folder_ / "state", as_bytes(write_witness_memory(memory)));
}

std::vector<std::string> WitnessFolder::evidence() const {
  std::vector<std::string> names;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder_ / "evidence", error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error))
    if (const std::string name = it->path().filename().string(); !name.starts_with('.'))
      names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string WitnessFolder::keep_evidence(const std::string& stem, std::size_t kind_max,
                                         std::span<const EvidenceFile> files) const {
  FIDUCIA_ASSERT(!files.empty());
  const auto folder = folder_ / "evidence";
  std::error_code error;
  if (std::filesystem::create_directory(folder, error) && !sync_folder(folder_)) return {};
  if (error) return {};
  const std::string kind = stem.substr(0, stem.find('.') + 1);
  const std::string first = stem + files.front().ending;
  std::size_t count = 0;
  for (const std::string& name : evidence()) {
    if (name == first) return first;
    if (name.starts_with(kind) && name.ends_with(files.front().ending)) ++count;
  }
  if (count >= kind_max) return {};
  // The file that is looked for comes last: where it is, the others are.
  for (const EvidenceFile& file : std::vector(files.rbegin(), files.rend()))
    if (!durable_write(folder / (stem + file.ending), as_bytes(file.content))) return {};
  return first;
}

}  // namespace fiducia::witness
