// SPDX-License-Identifier: Apache-2.0
#include "seal_output.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "evidence/evidence.h"
#include "seal/seal.h"

namespace fiducia::app {
namespace {

/// A UID as a file name: digits and dots only, so that a hostile one cannot leave the folder.
std::string file_name_of_uid(std::string_view uid) {
  const bool plain = !uid.empty() && uid.size() <= 64 && std::ranges::all_of(uid, [](char c) {
    return (c >= '0' && c <= '9') || c == '.';
  }) && uid.front() != '.';
  return plain ? std::string(uid) + ".dcm" : "stdin.dcm";
}

/// Permissions of a copy: a copy must not be readable by more people than its source.
unsigned mode_of(const sealing::Input& input) {
  struct stat info = {};
  if (input.is_stdin() || stat(input.path.c_str(), &info) != 0) return 0600;
  return info.st_mode & 0777;
}

}  // namespace

std::string_view to_word(EvidencePlace place) {
  switch (place) {
    case EvidencePlace::store:
      return "store";
    case EvidencePlace::file:
      return "file";
    case EvidencePlace::sidecar:
      return "sidecar";
  }
  std::unreachable();
}

EvidencePlace evidence_place(const cli::SealOptions& options) {
  if (options.in_place || !options.out.empty()) return EvidencePlace::file;
  return options.sidecar ? EvidencePlace::sidecar : EvidencePlace::store;
}

Result<std::optional<std::filesystem::path>> output_path(const cli::SealOptions& options,
                                                         const sealing::Input& input,
                                                         std::string_view sop_instance_uid) {
  if (options.sidecar) return evidence::sidecar_path(input.path);
  std::error_code error;
  if (options.in_place) {
    // A rename would replace a symbolic link, not what it points to.
    auto target = std::filesystem::canonical(input.path, error);
    if (error)
      return fail(ErrorCode::io_unreadable, "cannot be found: " + error.message() + ".",
                  "Check the path.", Location{.file = input.path.string()});
    return target;
  }
  if (options.out.empty()) return std::nullopt;
  const std::filesystem::path out{options.out};
  if (input.is_stdin()) return out / file_name_of_uid(sop_instance_uid);
  std::filesystem::path target = out / input.relative;
  if (std::filesystem::equivalent(target, input.path, error))
    return fail(ErrorCode::usage_invalid, "the copy would replace its source.",
                "Name another folder with --out, or use --in-place.",
                Location{.file = input.path.string()});
  return target;
}

Status write_copy(const cli::SealOptions& options, const sealing::Input& input,
                  std::optional<dicom::File> file, ByteView evidence,
                  const std::filesystem::path& target) {
  FIDUCIA_TRY(source, seal::CopySource::of(*file, evidence));
  std::vector<Bytes> storage;
  FIDUCIA_TRY(parts, evidence::embed_parts(*file, evidence, storage));
  if (file->transfer_syntax().deflated) file.reset();
  if (!options.in_place) {
    std::error_code error;
    std::filesystem::create_directories(target.parent_path(), error);
    if (error)
      return fail(ErrorCode::io_unwritable, "the folder cannot be made: " + error.message() + ".",
                  "Check the permissions of the folder named with --out.",
                  Location{.file = target.parent_path().string()});
  }
  return durable_write(target, parts,
                       {.mode = mode_of(input),
                        .keep_mode = options.in_place,
                        .create_only = false,
                        .after_piece =
                            [&](ByteView piece) {
                              if (file) file->release(piece);
                            },
                        .check =
                            [&](const std::filesystem::path& written) {
                              return source.check_copy(written, parts);
                            }});
}

Status write_sidecar(const sealing::Input& input, ByteView evidence,
                     const std::filesystem::path& target) {
  const auto as_meant = [&](const std::filesystem::path& written) -> Status {
    FIDUCIA_TRY(bytes, read_file(written, limits::evidence_bytes_max * 2));
    if (same_bytes(bytes, evidence)) return {};
    return fail(ErrorCode::io_unwritable, "the evidence as written is not what was sealed.",
                "Check disk and memory of this machine, then seal again.");
  };
  return durable_write(
      target, evidence,
      {.mode = mode_of(input), .keep_mode = false, .create_only = false, .check = as_meant});
}

Status check_target(const cli::SealOptions& options, const sealing::Input& input,
                    const std::filesystem::path& target, std::string_view sop_instance_uid) {
  std::error_code error;
  if (options.in_place || !std::filesystem::exists(target, error)) return {};
  const auto refuse = [&](std::string what) {
    return fail(ErrorCode::usage_invalid, std::move(what),
                "Remove it, or name another folder with --out.", Location{.file = target.string()});
  };
  if (!std::filesystem::is_regular_file(target, error)) return refuse("is not a regular file.");
  if (options.sidecar) {
    FIDUCIA_TRY(file, MappedFile::open(target));
    if (file.bytes().empty() || evidence::is_evidence_file(file.bytes())) return {};
    return fail(ErrorCode::usage_invalid, "exists and is no evidence; it would be replaced.",
                "Remove it, or use --out.", Location{.file = target.string()});
  }
  const auto there = dicom::File::open(target);
  if (!there) return refuse("exists and is not an image that can be read; it would be replaced.");
  if (there->data_set().find_text(dicom::tags::sop_instance_uid).value_or("") != sop_instance_uid)
    return refuse("is another image; it would be replaced by the copy of " + input.path.string() +
                  ".");
  return {};
}

Status check_outputs(const cli::SealOptions& options, const std::vector<sealing::Input>& inputs,
                     const std::filesystem::path& home) {
  for (const sealing::Input& input : inputs)
    if (input.is_stdin() && (options.in_place || options.sidecar))
      return fail(ErrorCode::usage_invalid,
                  "Standard input can be neither replaced nor have a file beside it.",
                  "Use --out DIR, or none of these options.");
  if (options.out.empty()) return {};
  if (is_inside(options.out, home))
    return fail(ErrorCode::usage_invalid, "lies in the home, where only Fiducia itself writes.",
                "Name a folder outside of it with --out.", Location{.file = options.out});
  for (const std::string& path : options.paths) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) continue;
    if (is_inside(options.out, path))
      return fail(ErrorCode::usage_invalid,
                  "The folder for the copies lies inside the one that is sealed.",
                  "Name a folder outside of it with --out.", Location{.file = options.out});
  }
  std::map<std::filesystem::path, const sealing::Input*> targets;
  for (const sealing::Input& input : inputs) {
    if (input.is_stdin()) continue;
    const auto [other, is_new] = targets.try_emplace(input.relative.lexically_normal(), &input);
    if (!is_new)
      return fail(ErrorCode::usage_invalid,
                  "would have the same copy as " + other->second->path.string() + ".",
                  "Seal the folders one at a time, each with its own --out.",
                  Location{.file = input.path.string()});
  }
  return {};
}

}  // namespace fiducia::app
