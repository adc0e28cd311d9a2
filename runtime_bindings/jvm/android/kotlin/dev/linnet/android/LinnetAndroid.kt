package dev.linnet.android

import android.content.Context
import dev.linnet.Engine
import dev.linnet.Linnet
import dev.linnet.LinnetException
import dev.linnet.Status
import dev.linnet.Tensor
import java.io.File
import java.io.RandomAccessFile
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor as ModuleTensor

/**
 * Opens linnet files with ExecuTorch's official Android package.
 *
 * That package loads a program with ExecuTorch's minimal verification and knows nothing of linnet's hashes: some damaged
 * programs end the process, some answer wrongly. So the hash of what it parses is checked here first, every time.
 */
object LinnetAndroid {
    /**
     * Opens an asset. It is copied to the app's files once for each content, because ExecuTorch maps a file; all of its
     * bytes are checked when it is copied. Call it from a background thread: the first time takes as long as the copy.
     */
    @JvmStatic
    @JvmOverloads
    fun load(context: Context, asset: String, threads: Int = 0): Linnet = load(copied(context, asset), threads)

    /** Opens a file. */
    @JvmStatic
    @JvmOverloads
    fun load(file: File, threads: Int = 0): Linnet {
        Linnet.check(file.path)
        val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)
        return Linnet.load(manifestOf(module), ModuleEngine(module))
    }

    private fun copied(context: Context, asset: String): File {
        val folder = File(context.filesDir, "linnet").apply { mkdirs() }
        val base = asset.substringAfterLast('/').removeSuffix(".pte")
        val target = File(folder, "$base-${digestOf(context, asset)}.pte")
        if (!target.exists()) {
            val partial = File.createTempFile(base, ".part", folder)
            try {
                context.assets.open(asset).use { from -> partial.outputStream().use(from::copyTo) }
                Linnet.verify(partial.path)
                check(partial.renameTo(target)) { "$partial cannot be renamed to $target" }
            } finally {
                partial.delete()
            }
            // what an earlier version of the app left
            folder.listFiles { each -> each.name.startsWith("$base-") && each != target }?.forEach(File::delete)
        }
        return target
    }

    /** The SHA-256 in the asset's trailer: bytes 80 to 112 of its last 128 (sdk/linnet/format/trailer.py). */
    private fun digestOf(context: Context, asset: String): String = context.assets.openFd(asset).use { descriptor ->
        val footer = ByteArray(FOOTER)
        if (descriptor.length < FOOTER) {
            throw LinnetException(Status.FILE_TRUNCATED, "$asset has ${descriptor.length} bytes; build the app again")
        }
        RandomAccessFile("/proc/self/fd/${descriptor.parcelFileDescriptor.fd}", "r").use {
            it.seek(descriptor.startOffset + descriptor.length - FOOTER)
            it.readFully(footer)
        }
        footer.copyOfRange(DIGEST, DIGEST + DIGEST_SIZE).joinToString("") { "%02x".format(it.toInt() and 0xff) }
    }

    private const val FOOTER = 128
    private const val DIGEST = 80
    private const val DIGEST_SIZE = 32
}

/** The values of the constant methods: every method that does not compute. */
private fun manifestOf(module: Module): Map<String, Any> =
    module.getMethods().filterNot { it.startsWith("forward") }.associateWith { valueOf(module.execute(it).first()) }

private fun valueOf(value: EValue): Any = when {
    value.isInt -> value.toInt()
    value.isDouble -> value.toDouble()
    value.isBool -> value.toBool()
    value.isString -> value.toStr()
    else -> value.toTensor().dataAsUnsignedByteArray
}

private class ModuleEngine(private val module: Module) : Engine {
    override fun run(inputs: Array<LongArray>): List<Tensor> {
        val values = inputs.map { EValue.from(ModuleTensor.fromBlob(it, longArrayOf(1, it.size.toLong()))) }
        return module.forward(*values.toTypedArray()).map { output ->
            val tensor = output.toTensor()
            Tensor(tensor.shape(), tensor.dataAsFloatArray)
        }
    }
}
