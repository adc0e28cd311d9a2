@file:Suppress("PackageDirectoryMismatch")

package android.os

class ParcelFileDescriptor(val fd: Int)
