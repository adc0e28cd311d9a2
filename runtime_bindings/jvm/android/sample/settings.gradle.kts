pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
    plugins {
        id("com.android.application") version "8.7.3"
        id("com.android.library") version "8.7.3"
        kotlin("android") version "2.3.0"
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

include(":linnet", ":intents")
project(":linnet").projectDir = file("../models/linnet")
project(":intents").projectDir = file("../models/intents")
