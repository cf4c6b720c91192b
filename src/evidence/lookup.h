// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "canonical/sketch.h"
#include "core/core.h"

namespace fiducia::evidence {

/// Where verification looks for evidence that the file does not carry. Implemented by module
/// store. Thread-safe.
///
/// Empty bytes in an answer stand for evidence that the store had and that is damaged: that says
/// something of the store (store.damaged) and nothing of an image.
class EvidenceLookup {
 public:
  virtual ~EvidenceLookup() = default;
  /// Evidence sealed under this SOP Instance UID, newest first.
  [[nodiscard]] virtual Result<std::vector<Bytes>> find_by_instance(
      std::string_view sop_instance_uid) = 0;
  [[nodiscard]] virtual std::unique_ptr<canonical::SketchBuilder> new_sketch() = 0;
  /// Evidence whose sketch shares values with `sketch`, best first, at most a handful.
  [[nodiscard]] virtual Result<std::vector<Bytes>> find_by_sketch(
      const canonical::Sketch& sketch) = 0;
};

}  // namespace fiducia::evidence
