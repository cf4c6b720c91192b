// SPDX-License-Identifier: Apache-2.0
#include "sealing/placement.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>

#include "evidence/evidence.h"
#include "seal/seal.h"

namespace fiducia::sealing {
namespace {

std::string instance_uid(const dicom::File& file) {
  return file.data_set().find_text(dicom::tags::sop_instance_uid).value_or("");
}

/// A UID as a file name: digits and dots only, so that a hostile one cannot leave the folder.
std::string file_name_of_uid(std::string_view uid) {
  const bool plain = !uid.empty() && uid.size() <= 64 && std::ranges::all_of(uid, [](char c) {
    return (c >= '0' && c <= '9') || c == '.';
  }) && uid.front() != '.';
  return plain ? std::string(uid) + ".dcm" : "stdin.dcm";
}

/// Permissions of what is made from `source`: it must not be readable by more people than that.
unsigned mode_of(const std::filesystem::path& source) {
  struct stat info = {};
  if (source.empty() || stat(source.c_str(), &info) != 0) return 0600;
  return info.st_mode & 0777;
}

std::unexpected<Error> refused(const std::filesystem::path& target, std::string what) {
  return fail(ErrorCode::usage_invalid, std::move(what),
              "Remove it, or name another folder with --out.", Location{.file = target.string()});
}

/// Whether a copy of `file`, called `name`, may take the place of what is at `target`.
Status check_replaced(const std::filesystem::path& target, const dicom::File& file,
                      const std::string& name) {
  std::error_code error;
  if (!std::filesystem::exists(target, error)) return {};
  if (!std::filesystem::is_regular_file(target, error))
    return refused(target, "is not a regular file.");
  const auto there = dicom::File::open(target);
  if (!there)
    return refused(target, "exists and is not an image that can be read; it would be replaced.");
  if (instance_uid(*there) != instance_uid(file))
    return refused(target, "is another image; it would be replaced by the copy of " + name + ".");
  return {};
}

/// Writes the copy of `file` that carries `evidence`, and looks at it before it takes its place.
Status write_copy(std::optional<dicom::File> file, ByteView evidence,
                  const std::filesystem::path& target, WriteOptions options) {
  FIDUCIA_ASSERT(file.has_value());
  FIDUCIA_TRY(source, seal::CopySource::of(*file, evidence));
  std::vector<Bytes> storage;
  FIDUCIA_TRY(parts, evidence::embed_parts(*file, evidence, storage));
  if (file->transfer_syntax().deflated) file.reset();
  options.after_piece = [&](ByteView piece) {
    if (file) file->release(piece);
  };
  options.check = [&](const std::filesystem::path& written) {
    return source.check_copy(written, parts);
  };
  return durable_write(target, parts, options);
}

class CopyPlacement final : public Placement {
 public:
  CopyPlacement(std::filesystem::path source, std::filesystem::path folder,
                std::filesystem::path target, std::string name)
      : source_(std::move(source)),
        folder_(std::move(folder)),
        target_(std::move(target)),
        name_(std::move(name)) {}
  [[nodiscard]] EvidencePlace place() const override { return EvidencePlace::file; }
  [[nodiscard]] Status check(const dicom::File& file) override {
    std::error_code error;
    if (source_.empty()) {
      target_ = folder_ / file_name_of_uid(instance_uid(file));
    } else if (std::filesystem::equivalent(target_, source_, error)) {
      return fail(ErrorCode::usage_invalid, "the copy would replace its source.",
                  "Name another folder with --out, or use --in-place.",
                  Location{.file = source_.string()});
    }
    FIDUCIA_CHECK(evidence::check_can_embed(file));
    return check_replaced(target_, file, name_);
  }
  [[nodiscard]] std::filesystem::path target() const override { return target_; }
  [[nodiscard]] Status write(std::optional<dicom::File> file, ByteView evidence) override {
    std::error_code error;
    std::filesystem::create_directories(target_.parent_path(), error);
    if (error)
      return fail(ErrorCode::io_unwritable, "the folder cannot be made: " + error.message() + ".",
                  "Check the permissions of the folder named with --out.",
                  Location{.file = target_.parent_path().string()});
    return write_copy(std::move(file), evidence, target_,
                      {.mode = mode_of(source_), .keep_mode = false, .create_only = false});
  }

 private:
  const std::filesystem::path source_;  // empty: the object is no file
  const std::filesystem::path folder_;  // then
  std::filesystem::path target_;
  const std::string name_;
};

class InPlacePlacement final : public Placement {
 public:
  explicit InPlacePlacement(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] EvidencePlace place() const override { return EvidencePlace::file; }
  [[nodiscard]] Status check(const dicom::File& file) override {
    // A rename would replace a symbolic link, not what it points to.
    std::error_code error;
    target_ = std::filesystem::canonical(file_, error);
    if (error)
      return fail(ErrorCode::io_unreadable, "cannot be found: " + error.message() + ".",
                  "Check the path.", Location{.file = file_.string()});
    return evidence::check_can_embed(file);
  }
  [[nodiscard]] std::filesystem::path target() const override { return target_; }
  [[nodiscard]] Status write(std::optional<dicom::File> file, ByteView evidence) override {
    return write_copy(std::move(file), evidence, target_,
                      {.mode = mode_of(file_), .keep_mode = true, .create_only = false});
  }

 private:
  const std::filesystem::path file_;
  std::filesystem::path target_;
};

class SidecarPlacement final : public Placement {
 public:
  explicit SidecarPlacement(std::filesystem::path file)
      : file_(std::move(file)), target_(evidence::sidecar_path(file_)) {}
  [[nodiscard]] EvidencePlace place() const override { return EvidencePlace::sidecar; }
  [[nodiscard]] Status check(const dicom::File& /*file*/) override {
    std::error_code error;
    if (!std::filesystem::exists(target_, error)) return {};
    if (!std::filesystem::is_regular_file(target_, error))
      return refused(target_, "is not a regular file.");
    FIDUCIA_TRY(there, MappedFile::open(target_));
    if (there.bytes().empty() || evidence::is_evidence_file(there.bytes())) return {};
    return fail(ErrorCode::usage_invalid, "exists and is not evidence; it would be replaced.",
                "Remove it, or use --out.", Location{.file = target_.string()});
  }
  [[nodiscard]] std::filesystem::path target() const override { return target_; }
  [[nodiscard]] Status write(std::optional<dicom::File> /*file*/, ByteView evidence) override {
    const auto as_meant = [&](const std::filesystem::path& written) -> Status {
      FIDUCIA_TRY(bytes, read_file(written, limits::evidence_bytes_max * 2));
      if (same_bytes(bytes, evidence)) return {};
      return fail(ErrorCode::io_unwritable, "the evidence as written is not what was sealed.",
                  "Check disk and memory of this machine, then seal again.");
    };
    return durable_write(
        target_, evidence,
        {.mode = mode_of(file_), .keep_mode = false, .create_only = false, .check = as_meant});
  }

 private:
  const std::filesystem::path file_;
  const std::filesystem::path target_;
};

class HandOver final : public Placement {
 public:
  explicit HandOver(std::function<Status(Bytes)> take) : take_(std::move(take)) {}
  [[nodiscard]] EvidencePlace place() const override { return EvidencePlace::file; }
  [[nodiscard]] Status check(const dicom::File& file) override {
    return evidence::check_can_embed(file);
  }
  [[nodiscard]] std::filesystem::path target() const override { return {}; }
  [[nodiscard]] Status write(std::optional<dicom::File> file, ByteView evidence) override {
    FIDUCIA_ASSERT(file.has_value());
    FIDUCIA_TRY(source, seal::CopySource::of(*file, evidence));
    std::vector<Bytes> storage;
    FIDUCIA_TRY(parts, evidence::embed_parts(*file, evidence, storage));
    auto copy = std::make_shared<Bytes>();
    for (const ByteView part : parts) append(*copy, part);
    FIDUCIA_CHECK(source.check_copy(dicom::File::read(std::shared_ptr<const Bytes>{copy}), parts));
    return take_(std::move(*copy));
  }

 private:
  const std::function<Status(Bytes)> take_;
};

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

std::shared_ptr<Placement> copy_at(std::filesystem::path source, std::filesystem::path target) {
  std::string name = source.string();
  return std::make_shared<CopyPlacement>(std::move(source), std::filesystem::path{},
                                         std::move(target), std::move(name));
}

std::shared_ptr<Placement> copy_in(std::filesystem::path folder, std::string name) {
  return std::make_shared<CopyPlacement>(std::filesystem::path{}, std::move(folder),
                                         std::filesystem::path{}, std::move(name));
}

std::shared_ptr<Placement> in_place(std::filesystem::path file) {
  return std::make_shared<InPlacePlacement>(std::move(file));
}

std::shared_ptr<Placement> beside(std::filesystem::path file) {
  return std::make_shared<SidecarPlacement>(std::move(file));
}

std::shared_ptr<Placement> handed_over(std::function<Status(Bytes copy)> take) {
  return std::make_shared<HandOver>(std::move(take));
}

}  // namespace fiducia::sealing
