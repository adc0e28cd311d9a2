@file:Suppress("unused", "PackageDirectoryMismatch")

package android.content.res

import android.os.ParcelFileDescriptor
import java.io.Closeable
import java.io.File
import java.io.FileNotFoundException
import java.io.InputStream
import java.io.RandomAccessFile

/** Assets below a folder; with [compressed] they can be read, but not opened where they lie. */
class AssetManager(private val folder: File, private val compressed: Boolean) {
    fun open(name: String): InputStream = File(folder, name).inputStream()

    fun openFd(name: String): AssetFileDescriptor {
        if (compressed || !File(folder, name).exists()) throw FileNotFoundException("cannot be opened as a file descriptor")
        val container = File.createTempFile("app", ".apk").apply { deleteOnExit() }
        container.writeBytes(ByteArray(OFFSET) + File(folder, name).readBytes() + ByteArray(OFFSET))
        return AssetFileDescriptor(RandomAccessFile(container, "r"), OFFSET.toLong(), File(folder, name).length())
    }

    private companion object {
        const val OFFSET = 100
    }
}

class AssetFileDescriptor(
    private val file: RandomAccessFile,
    val startOffset: Long,
    val length: Long,
) : Closeable {
    val parcelFileDescriptor = ParcelFileDescriptor(
        file.fd.javaClass.getDeclaredField("fd").apply { isAccessible = true }.getInt(file.fd),
    )

    override fun close() = file.close()
}
