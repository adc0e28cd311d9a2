package dev.linnet.android

import android.content.Context
import android.content.res.AssetFileDescriptor
import dev.linnet.Engine
import dev.linnet.Linnet
import dev.linnet.LinnetException
import dev.linnet.Status
import dev.linnet.Tensor
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.RandomAccessFile
import kotlin.coroutines.cancellation.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.pytorch.executorch.EValue
import org.pytorch.executorch.Module
import org.pytorch.executorch.Tensor as ModuleTensor

/**
 * Loads linnet files with ExecuTorch's official Android package.
 *
 * That package loads a program with ExecuTorch's minimal verification and does not check linnet's hashes: some damaged
 * programs would crash the process, others would give wrong answers. So each load first checks the hash of what it parses.
 */
object LinnetAndroid {
    /**
     * Load an asset. Each version of it is copied to the app's files once, because ExecuTorch maps a file into memory, and
     * all of its bytes are checked then. Call it from a background thread: the first call takes as long as the copy.
     *
     * [fused]: run `forward_fused` with linnet's kernels. null: where the file has it, the processor gains by it and
     * [Kernels] could be loaded; true: or fail; false: run `forward`, with ExecuTorch's operators alone. A decoder
     * (text-generation) always runs `forward`, whose cache of keys and values is the program's own.
     */
    @JvmStatic
    @JvmOverloads
    fun load(context: Context, asset: String, threads: Int = 0, fused: Boolean? = null): Linnet =
        load(copied(context, asset), threads, fused)

    /** Load a file. */
    @JvmStatic
    @JvmOverloads
    fun load(file: File, threads: Int = 0, fused: Boolean? = null): Linnet {
        Linnet.check(file.path)
        val module = Module.load(file.path, Module.LOAD_MODE_MMAP, threads)
        return try {
            val manifest = manifestOf(module)
            val method = if (manifest["task"] == DECODER) decoderMethod(fused) else methodOf(module, fused)
            Linnet.load(manifest, ModuleEngine(module, method))
        } catch (error: Throwable) {
            module.close()
            throw error
        }
    }

    /** [load] away from the caller's thread. A coroutine that is cancelled meanwhile leaves nothing open. */
    suspend fun open(context: Context, asset: String, threads: Int = 0, fused: Boolean? = null): Linnet {
        var loaded: Linnet? = null
        try {
            return withContext(Dispatchers.IO) { load(context, asset, threads, fused).also { loaded = it } }
        } catch (cancelled: CancellationException) {
            loaded?.close()
            throw cancelled
        }
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
            // delete copies that an earlier version of the app made
            folder.listFiles { each -> each.name.startsWith("$base-") && each != target }?.forEach(File::delete)
        }
        return target
    }

    /** Read the SHA-256 in the asset's trailer: bytes 80 to 112 of its last 128 (sdk/linnet/format/trailer.py). */
    private fun digestOf(context: Context, asset: String): String = opened(context, asset).use { descriptor ->
        val footer = ByteArray(FOOTER)
        if (descriptor.length < FOOTER) {
            throw LinnetException(
                Status.FILE_TRUNCATED,
                "expected at least $FOOTER bytes in $asset, got ${descriptor.length}; build the app again",
            )
        }
        RandomAccessFile("/proc/self/fd/${descriptor.parcelFileDescriptor.fd}", "r").use {
            it.seek(descriptor.startOffset + descriptor.length - FOOTER)
            it.readFully(footer)
        }
        footer.copyOfRange(DIGEST, DIGEST + DIGEST_SIZE).joinToString("") { "%02x".format(it.toInt() and 0xff) }
    }

    /** Open an asset where it lies in the app. Android can do that only with assets that are stored as they are. */
    private fun opened(context: Context, asset: String): AssetFileDescriptor = try {
        context.assets.openFd(asset)
    } catch (error: FileNotFoundException) {
        try {
            context.assets.open(asset).close()
        } catch (missing: IOException) {
            throw LinnetException(
                Status.FILE_NOT_FOUND,
                "expected the asset $asset, got an app without it; add the module of its model to the app's dependencies",
            )
        }
        throw LinnetException(
            Status.FILE_UNREADABLE,
            "expected $asset as it is, got a compressed asset; write androidResources { noCompress += \"pte\" } under " +
                "android in the app's build.gradle.kts, and build again",
        )
    }

    private const val FOOTER = 128
    private const val DIGEST = 80
    private const val DIGEST_SIZE = 32
}

/** Read the manifest: the values of all constant methods, which are the methods other than `forward...`. */
private fun manifestOf(module: Module): Map<String, Any> =
    module.getMethods().filterNot { it.startsWith("forward") }.associateWith { valueOf(module.execute(it).first()) }

private fun valueOf(value: EValue): Any = when {
    value.isInt -> value.toInt()
    value.isDouble -> value.toDouble()
    value.isBool -> value.toBool()
    value.isString -> value.toStr()
    else -> value.toTensor().dataAsUnsignedByteArray
}

/**
 * Choose the method that answers. The kernels are loaded after ExecuTorch's library, which [Module] loaded: theirs takes
 * its symbols from there.
 */
private fun methodOf(module: Module, fused: Boolean?): String {
    if (fused == false) return FORWARD
    val problem = fusedProblem(module)
    if (problem == null && (fused == true || Kernels.name != "portable")) return FUSED
    if (fused == true) {
        throw LinnetException(Status.UNKNOWN_METHOD, "expected $FUSED with fused = true, got $problem; load with fused = null")
    }
    return FORWARD
}

/** Choose the method of a decoder: `forward_fused` takes its cache as an input that it writes to, which Java cannot give. */
private fun decoderMethod(fused: Boolean?): String {
    if (fused == true) {
        throw LinnetException(
            Status.UNKNOWN_METHOD,
            "expected $FUSED with fused = true, got a decoder, which runs $FORWARD here; load with fused = null",
        )
    }
    return FORWARD
}

/** Load `forward_fused`, and say what prevents it. */
private fun fusedProblem(module: Module): String? = when {
    FUSED !in module.getMethods() -> "a file without it"
    Kernels.name == null -> "no kernels: ${Kernels.problem}"
    else -> try {
        module.loadMethod(FUSED)
        null
    } catch (error: RuntimeException) {
        "$error"
    }
}

private const val FORWARD = "forward"
private const val FUSED = "forward_fused"
private const val DECODER = "text-generation"

private class ModuleEngine(private val module: Module, private val method: String) : Engine {
    override fun close() = module.close()

    override fun run(inputs: Array<LongArray>): List<Tensor> {
        val values = inputs.map { EValue.from(ModuleTensor.fromBlob(it, longArrayOf(1, it.size.toLong()))) }
        return module.execute(method, *values.toTypedArray()).map { output ->
            val tensor = output.toTensor()
            Tensor(tensor.shape(), tensor.dataAsFloatArray)
        }
    }

    override fun decode(tokens: LongArray, position: Long): FloatArray {
        val ids = EValue.from(ModuleTensor.fromBlob(tokens, longArrayOf(1, tokens.size.toLong())))
        val before = EValue.from(ModuleTensor.fromBlob(longArrayOf(position), longArrayOf(1)))
        return module.execute(method, ids, before).first().toTensor().dataAsFloatArray
    }
}
