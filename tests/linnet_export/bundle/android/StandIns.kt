// Stand for Android and for ExecuTorch's Android package where neither runs: of their interfaces, what LinnetAndroid.kt
// calls. Assets are files of a folder; what a program answers stands in the records beside them.
@file:Suppress("unused", "UNUSED_PARAMETER", "PackageDirectoryMismatch")

package android.content

import android.content.res.AssetManager
import java.io.File

class Context(val filesDir: File, val assets: AssetManager)
