# SPDX-License-Identifier: Apache-2.0
"""A file on its way through a tool: what archives, routers and scripts make of it."""
import io
import pathlib
import subprocess
import tempfile

import pydicom

COMMANDS = {
    "dcmconv_implicit": ("dcmconv", "+ti"), "dcmconv_explicit": ("dcmconv", "+te"), "dcmconv_big": ("dcmconv", "+tb"),
    "dcmconv_deflated": ("dcmconv", "+td"), "dcmconv_lengths": ("dcmconv", "+te", "-e", "-g"),
    "dcmconv_groups": ("dcmconv", "+te", "+g=", "+p", "512", "64"), "dcmconv_un": ("dcmconv", "+te", "-uc"),
    "dcmconv_utf8": ("dcmconv", "+te", "+U8"), "dcmcrle": ("dcmcrle",), "dcmdrle": ("dcmdrle",), "dcmdjpeg": ("dcmdjpeg",),
    "dcmcjpls": ("dcmcjpls", "+un"), "dcmdjpls": ("dcmdjpls",), "dcmcjpeg": ("dcmcjpeg", "+e1", "+un"),
    "gdcm_raw": ("gdcmconv", "--raw"), "gdcm_implicit": ("gdcmconv", "--implicit"), "gdcm_explicit": ("gdcmconv", "--explicit"),
    "gdcm_deflated": ("gdcmconv", "--deflated"), "gdcm_j2k": ("gdcmconv", "--j2k"), "gdcm_jpegls": ("gdcmconv", "--jpegls"),
    "gdcm_rle": ("gdcmconv", "--rle"), "gdcm_jpeg": ("gdcmconv", "--jpeg"), "gdcm_copy": ("gdcmconv",),
    "gdcm_lengths": ("gdcmconv", "--remove-gl"),
}


def by_command(command, data):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in.dcm"), pathlib.Path(folder, "out.dcm")
        source.write_bytes(data)
        done = subprocess.run([*command, source, target], capture_output=True, timeout=60)
        return target.read_bytes() if done.returncode == 0 and target.exists() else None


def by_pydicom(data, implicit):
    try:
        ds = pydicom.dcmread(io.BytesIO(data))
        if ds.file_meta.TransferSyntaxUID.is_compressed:
            return None
        ds.is_implicit_VR, ds.is_little_endian = implicit, True
        ds.file_meta.TransferSyntaxUID = (pydicom.uid.ImplicitVRLittleEndian if implicit else
                                          pydicom.uid.ExplicitVRLittleEndian)
        out = io.BytesIO()
        ds.save_as(out, write_like_original=False)
        return out.getvalue()
    except Exception:  # it raises what it happens to meet
        return None


HOPS = {name: lambda data, command=command: by_command(command, data) for name, command in COMMANDS.items()}
HOPS["pydicom_implicit"] = lambda data: by_pydicom(data, True)
HOPS["pydicom_explicit"] = lambda data: by_pydicom(data, False)


def hop(r, data):
    """(what a tool drawn from all makes of it, its name), or the data as it is where the tool refuses."""
    name = r.choice(list(HOPS))
    out = HOPS[name](data)
    return (data, None) if out is None else (out, "t_" + name)
