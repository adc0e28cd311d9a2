package tests.linnet_export.bundle

import android.content.Context
import android.content.res.AssetManager
import dev.linnet.Linnet
import dev.linnet.LinnetException
import dev.linnet.android.Kernels
import dev.linnet.android.LinnetAndroid
import dev.linnet.ask
import dev.linnet.flow
import java.io.File
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.pytorch.executorch.Module

/** What an app does with the models of a bundle, over stand-ins of Android: `assets` has them and their records. */
fun main(arguments: Array<String>) {
    val (assets, files) = arguments.map(::File)
    Module.folder = assets
    val context = Context(files, AssetManager(assets, compressed = false))
    runBlocking {
        for ((asset, sample) in samples) {
            val model = LinnetAndroid.open(context, asset)
            println("== $asset\n${model.ask { sample(this) }}")
            model.close()
        }
    }
    println("== open ${Module.opened}")
    val asset = samples.keys.first()
    println("== compressed ${refused { LinnetAndroid.load(Context(files, AssetManager(assets, compressed = true)), asset) }}")
    println("== missing ${refused { LinnetAndroid.load(context, "nothing.pte") }}")
    LinnetAndroid.load(context, asset).use(::askInTurns)
    println("== kernels ${Kernels.name} ${Kernels.problem?.substringBefore(" ")}")
    println("== methods ${methods(context, asset, null)} ${methods(context, asset, false)} ${methods(context, asset, true)}")
    Module.refused = "forward_fused"
    println("== refused ${methods(context, asset, null)} ${methods(context, asset, true)}")
}

/** The methods that answer with a value of `fused`, or why none does. */
private fun methods(context: Context, asset: String, fused: Boolean?): String {
    Module.ran.clear()
    return try {
        LinnetAndroid.load(context, asset, fused = fused).use { it.classify("on") }
        Module.ran.joinToString()
    } catch (error: LinnetException) {
        "${error.status}"
    }
}

private fun refused(call: () -> Unit): String = try {
    call()
    "nothing"
} catch (error: LinnetException) {
    "${error.status} ${error.message}"
}

private fun askInTurns(model: Linnet) = runBlocking {
    val texts = List(5) { "turn it down ".repeat(it + 1) }
    println("== list ${model.classify(texts, topK = 1) == texts.map { model.classify(it, topK = 1) }}")
    println("== flow ${model.flow(texts) { classify(it, topK = 1) }.toList() == model.classify(texts, topK = 1)}")
    Module.runs = 0
    model.flow(texts) { classify(it) }.take(2).toList()
    println("== taken ${Module.runs}")
    Module.runs = 0
    Module.delay = 300
    val first = async(Dispatchers.Default) { model.ask { classify("first") } }
    while (Module.runs == 0) Thread.sleep(1)
    val waiting = launch(Dispatchers.Default) {
        try {
            model.ask { classify("waiting") }
        } catch (cancelled: CancellationException) {
            println("== cancelled")
            throw cancelled
        }
    }
    Thread.sleep(50)
    waiting.cancelAndJoin()
    println("== answered ${first.await().isNotEmpty()} ${Module.runs}")
}
