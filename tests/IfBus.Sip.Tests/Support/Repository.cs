namespace IfBus.Sip.Tests.Support;

/// <summary>Where things are in the checkout that the tests were built in.</summary>
internal static class Repository
{
    /// <summary>Top folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>The staged module's manifest: what a user imports.</summary>
    public static string StagedModule => Directory.GetFiles(Path.Combine(Root, "out", "IfBus.Sip"), "IfBus.Sip.psd1", SearchOption.AllDirectories).Order().Last();

    /// <summary>The Shell, built as the tests are.</summary>
    public static string Shell => Path.Combine(Root, "src", "IfBus.Sip.Shell", "bin", Build, "net10.0", "IfBus.Sip.Shell.dll");

    /// <summary>The engine alone, which runs the script that is its argument; built as the tests are.</summary>
    public static string EngineHost => Path.Combine(Root, "tests", "EngineHost", "bin", Build, "net10.0", "IfBus.Sip.EngineHost.dll");

    /// <summary>The recordings of a server.</summary>
    public static string Transcripts(string server) => Path.Combine(Root, "tests", "Transcripts", server);

    private static string Build => AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal) ? "Release" : "Debug";

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "IfBus.Sip.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException("The tests run outside a checkout of the repository.");
    }
}
