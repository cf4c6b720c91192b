// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string_view>

#include "dicom/dicom.h"
#include "evidence/statement.h"

namespace fiducia::seal {

/// What is proven of the compression with loss that an image went through before it was sealed.
/// What tools write about it when they decompress the image (PS3.3 C.7.6.1.1.5) can be held against
/// this.
struct ProvenLoss {
  bool lossy = false;       // decoding the sealed frames lost something
  std::string_view method;  // the defined term of (0028,2114) for the sealed encoding; may be empty
  // Of the frames of the file, while it still is in the sealed transfer syntax; else 0.
  std::uint64_t native_bytes = 0;
  std::uint64_t encoded_bytes = 0;
};

/// `statement` is the signed one; `file` is what is compared with it.
[[nodiscard]] ProvenLoss proven_loss(const dicom::File& file, const evidence::Statement& statement);

/// Whether the attribute is one of the three that record a compression with loss at the top level:
/// Lossy Image Compression, its Ratio and its Method.
[[nodiscard]] bool is_loss_record(dicom::Tag tag);

/// Whether `text`, the value of a loss record without padding, is true of the image: `01`, the
/// method of the sealed encoding alone, or the ratio of the frames as they are (spec/seal.md 10.1).
[[nodiscard]] bool is_true_loss_record(const ProvenLoss& loss, dicom::Tag tag,
                                       std::string_view text);

}  // namespace fiducia::seal
