// SPDX-License-Identifier: Apache-2.0
#include "dimse/pdu.h"

#include <gtest/gtest.h>

#include "support/support.h"
#include "wire.h"

namespace fiducia::dimse {
namespace {

using test::bytes;

/// The types and lengths of the PDUs in `stream`, which comes `step` bytes at a time, and the word
/// of the error that ended it.
std::string cut(ByteView stream, std::size_t step, std::uint32_t p_data_bytes_max = 1 << 10) {
  PduReader reader{p_data_bytes_max};
  std::string out;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    reader.add(stream.subspan(at, std::min(step, stream.size() - at)));
    for (;;) {
      const auto pdu = reader.next();
      if (!pdu) return out + code_word(pdu.error());
      if (!*pdu) break;
      out += std::to_string(static_cast<int>((*pdu)->type)) + ":" +
             std::to_string((*pdu)->body.size()) + " ";
    }
  }
  return out;
}

TEST(PduReader, cuts_a_stream_however_it_comes) {
  Bytes stream;
  write_p_data(
      stream,
      {.context_id = 1, .is_command = true, .is_last = true, .fragment = bytes("0102030405")});
  write_release_rq(stream);
  write_release_rp(stream);
  write_abort(stream, {});
  write_reject(stream, {});
  for (std::size_t step = 1; step <= stream.size(); ++step)
    EXPECT_EQ(cut(stream, step), "4:11 5:4 6:4 7:4 3:4 ") << step;
}

TEST(PduReader, refuses_a_type_at_its_first_byte_and_a_length_at_its_header) {
  EXPECT_EQ(cut(as_bytes("G"), 1), "unsupported.pdu");
  EXPECT_EQ(cut(bytes("00"), 1), "unsupported.pdu");
  EXPECT_EQ(cut(bytes("08"), 1), "unsupported.pdu");
  EXPECT_EQ(cut(bytes("050000000005"), 6), "malformed.pdu");
  EXPECT_EQ(cut(bytes("070000000003"), 6), "malformed.pdu");
  EXPECT_EQ(cut(bytes("04000000000500"), 6), "malformed.pdu");
  EXPECT_EQ(cut(bytes("010000000043"), 6), "malformed.pdu");
  EXPECT_EQ(cut(bytes("0100FFFFFFFF"), 6), "limit.reached");
  EXPECT_EQ(cut(bytes("0400FFFFFFFF"), 6), "limit.reached");
}

TEST(PduReader, takes_as_much_as_was_agreed_and_not_a_byte_more) {
  for (const std::size_t past : {0U, 1U}) {
    Bytes stream;
    const Bytes fragment(limits::dimse_p_data_bytes_max - 6 + past);
    write_p_data(stream, {.context_id = 1, .fragment = fragment});
    EXPECT_EQ(cut(stream, 4'096, limits::dimse_p_data_bytes_max),
              past == 0 ? "4:131072 " : "limit.reached");
    stream.clear();
    write_pdu(stream, PduType::associate_rq, Bytes(limits::dimse_associate_bytes_max + past));
    EXPECT_EQ(cut(stream, 4'096), past == 0 ? "1:65536 " : "limit.reached");
  }
}

TEST(PData, reads_what_was_written) {
  Bytes pdu;
  write_p_data(
      pdu, {.context_id = 255, .is_command = true, .is_last = false, .fragment = bytes("AABB")});
  EXPECT_EQ(pdu, bytes("04000000000800000004FF01AABB"));
  const auto values = read_p_data(ByteView{pdu}.subspan(pdu_header_bytes));
  ASSERT_TRUE(values);
  ASSERT_EQ(values->size(), 1U);
  EXPECT_EQ(values->front().context_id, 255);
  EXPECT_TRUE(values->front().is_command);
  EXPECT_FALSE(values->front().is_last);
  EXPECT_TRUE(same_bytes(values->front().fragment, bytes("AABB")));
}

TEST(PData, has_fragments_that_fill_it) {
  EXPECT_EQ(read_p_data(bytes("000000020100000000030302FF"))->size(), 2U);
  for (const std::string_view body :
       {"", "0000", "000000010100", "00000003010000000000", "000000040100FF", "FFFFFFFF0100",
        "000000020000", "0000000201000000"})
    EXPECT_FALSE(read_p_data(bytes(body))) << body;
}

TEST(Reject, reads_what_was_written_and_no_other_result_or_source) {
  for (const auto result : {AssociateReject::Result::permanent, AssociateReject::Result::transient})
    for (const auto source : {AssociateReject::Source::user, AssociateReject::Source::provider_acse,
                              AssociateReject::Source::provider_presentation}) {
      const AssociateReject reject{.result = result, .source = source, .reason = 7};
      Bytes pdu;
      write_reject(pdu, reject);
      EXPECT_EQ(read_reject(ByteView{pdu}.subspan(pdu_header_bytes)), reject);
    }
  for (const std::string_view body : {"00000101", "00030101", "00010001", "00010401", "000101"})
    EXPECT_FALSE(read_reject(bytes(body))) << body;
}

TEST(AbortPdu, is_an_abort_whatever_it_says) {
  EXPECT_EQ(read_abort(bytes("00000000")), (Abort{}));
  EXPECT_EQ(read_abort(bytes("00000206")),
            (Abort{Abort::Source::provider, Abort::Reason::invalid_parameter}));
  EXPECT_EQ(read_abort(bytes("00000203")).reason, Abort::Reason::not_specified);
  EXPECT_EQ(read_abort(bytes("000001FF")), (Abort{}));
  EXPECT_EQ(read_abort(bytes("")), (Abort{}));
}

}  // namespace
}  // namespace fiducia::dimse
