package dev.linnet.sample

import android.app.Activity
import android.os.Bundle
import android.text.Editable
import android.text.TextWatcher
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import dev.linnet.Linnet
import dev.linnet.android.LinnetAndroid
import java.util.concurrent.Executors

/** Shows the intents of what is typed, best first. */
class MainActivity : Activity() {
    private val worker = Executors.newSingleThreadExecutor()
    private var model: Linnet? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        val input = EditText(this).apply { hint = "turn the volume down" }
        val output = TextView(this)
        setContentView(
            LinearLayout(this).apply {
                orientation = LinearLayout.VERTICAL
                addView(input)
                addView(output)
            },
        )
        worker.execute { model = LinnetAndroid.load(this, "intents.pte") }
        input.addTextChangedListener(
            object : TextWatcher {
                override fun afterTextChanged(text: Editable) = classify(text.toString(), output)

                override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

                override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit
            },
        )
    }

    private fun classify(text: String, output: TextView) = worker.execute {
        val found = model?.classify(text, topK = 3).orEmpty()
        runOnUiThread { output.text = found.joinToString("\n") { "${it.label}  ${"%.3f".format(it.score)}" } }
    }

    override fun onDestroy() {
        worker.execute { model?.close() }
        worker.shutdown()
        super.onDestroy()
    }
}
