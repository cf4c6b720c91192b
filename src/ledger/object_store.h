// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/core.h"

namespace fiducia::ledger {

/// Where a log can be read: a directory, a bucket, another server. Paths are those of tlog-tiles
/// ("checkpoint", "tile/0/x001/067.p/12", "tile/entries/000"), relative to the log's root.
/// Nothing that comes from here is believed before it was checked against a signed root.
/// Thread safety: const methods may run concurrently.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  /// The whole object, or nothing where there is none.
  /// Errors: io_unreadable, over_limit (longer than `bytes_max`); both name `path`.
  [[nodiscard]] virtual Result<std::optional<Bytes>> read(const std::string& path,
                                                          std::uint64_t bytes_max) const = 0;
  /// `path` as a person would find it: "/srv/ledger/checkpoint", "s3://bucket/a/checkpoint".
  [[nodiscard]] virtual std::string name_of(const std::string& path) const = 0;
};

/// The whole object, which must be there. Errors: io_unreadable (also where there is none),
/// over_limit; they name `path`.
[[nodiscard]] Result<Bytes> read_object(const ObjectSource& source, const std::string& path,
                                        std::uint64_t bytes_max);

struct NewObject {
  std::string path;
  Bytes content;
};

/// What `create` does about an object that is there already with other content.
enum class Existing {
  refuse,   // ledger_conflict: tiles are written once, so somebody else writes to this log
  replace,  // recovery of a store that may hold torn objects after a loss of power
};

/// Where a log keeps its tiles. Thread safety: all methods may run concurrently.
class ObjectStore : public ObjectSource {
 public:
  /// Writes objects that will never change. One that is there with the same content counts as
  /// written; a reader never sees half an object. Not all or nothing: after an error some of
  /// them may be there. Errors: io_unwritable, ledger_conflict (Existing::refuse); they name the
  /// path.
  [[nodiscard]] virtual Status create(std::span<const NewObject> objects, Existing existing) = 0;
  /// Replaces one small object: readers see the old or the new content. Errors: io_unwritable.
  [[nodiscard]] virtual Status replace(const std::string& path, ByteView content) = 0;
  /// Removes objects; those that are not there do not matter. Errors: io_unwritable.
  [[nodiscard]] virtual Status remove(std::span<const std::string> paths) = 0;
  /// Removes the partial forms of a tile or bundle whose full form is there ("tile/0/000": the
  /// objects "tile/0/000.p/1" to "tile/0/000.p/255"). Errors: io_unwritable.
  [[nodiscard]] virtual Status remove_partials(const std::string& full_path);
  /// Returns once everything written before is durable. Errors: io_unwritable.
  [[nodiscard]] virtual Status sync() = 0;
};

/// A log in a local directory. `create` and `replace` write beside the target and rename; only
/// `sync` (one syncfs) waits for the disk. Objects are written once and made read-only (0444).
class DirectoryStore final : public ObjectStore {
 public:
  explicit DirectoryStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] Result<std::optional<Bytes>> read(const std::string& path,
                                                  std::uint64_t bytes_max) const override;
  [[nodiscard]] std::string name_of(const std::string& path) const override;
  [[nodiscard]] Status create(std::span<const NewObject> objects, Existing existing) override;
  [[nodiscard]] Status replace(const std::string& path, ByteView content) override;
  [[nodiscard]] Status remove(std::span<const std::string> paths) override;
  [[nodiscard]] Status remove_partials(const std::string& full_path) override;
  [[nodiscard]] Status sync() override;

 private:
  std::filesystem::path folder_;
};

}  // namespace fiducia::ledger
