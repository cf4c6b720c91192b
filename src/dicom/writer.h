// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "dicom/file.h"

namespace fiducia::dicom {

/// An element to put into a file at the top level: short and long form are chosen by the VR.
struct NewElement {
  Tag tag;
  Vr vr;
  Bytes value;  // already padded to even length, little endian
};

/// The parts, in order, of a copy of `file` in which the top-level elements in `remove` are gone
/// and `add` (ascending tags, none of them in the file after removal) stand at their places;
/// everything else is byte for byte what the file holds, in its own transfer syntax (deflated
/// files are inflated, edited and deflated again). Removed sequences go as a whole.
/// Views borrow from `file` and from `storage`, which must outlive the parts; of a deflated file
/// from `storage` alone.
/// Errors: unsupported (a bare data set is edited as it is; group lengths of edited groups are
/// left out), over_limit.
[[nodiscard]] Result<std::vector<ByteView>> edit_parts(const File& file,
                                                       std::span<const Tag> remove,
                                                       std::span<const NewElement> add,
                                                       std::vector<Bytes>& storage);

/// A free private block number (0x10..0xFF) of `group` at top level for `creator`: the one the
/// creator already has, or the first that no creator and no element uses.
/// Errors: over_limit when all 240 are taken.
[[nodiscard]] Result<std::uint8_t> find_private_block(const DataSet& data_set, std::uint16_t group,
                                                      std::string_view creator);

}  // namespace fiducia::dicom
