"""The first thing that the binary runs (a runtime hook of PyInstaller): from here on imports unpack what they need."""

import marshal
import sys

import pyimod02_importers  # PyInstaller's own, in the binary only

from edgeworker.unpacking import Parts, Unpacker, install, own_program

archive = pyimod02_importers.pyz_archive
archive._filename = own_program(archive._filename)
parts = Parts(*marshal.loads(archive.extract("edgeworker-parts", raw=True)))
install(Unpacker(parts, program=archive._filename, start=archive._start_offset, folder=sys._MEIPASS))
