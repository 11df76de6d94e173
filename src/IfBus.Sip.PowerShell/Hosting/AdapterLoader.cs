using System.Reflection;
using System.Runtime.Loader;

namespace IfBus.Sip.Hosting;

/// <summary>
/// Loads the adapter library and its packages into one load context of their own, on first use: another module may
/// bring other versions of the same packages into the same process.
/// </summary>
internal static class AdapterLoader
{
    private const string AdapterAssembly = "IfBus.Sip.Adapters";
    private static readonly object Gate = new();
    private static ISipAdapterFactory? s_factory;

    /// <summary>The factory of adapters; loads the library the first time.</summary>
    /// <param name="moduleBase">Where the module was imported from. A process has one adapter library: the first one asked for stays.</param>
    public static ISipAdapterFactory GetFactory(string? moduleBase)
    {
        lock (Gate) return s_factory ??= Load(moduleBase);
    }

    private static ISipAdapterFactory Load(string? moduleBase)
    {
        string[] folders = [.. Folders(moduleBase)];
        string? folder = folders.FirstOrDefault(f => File.Exists(Path.Combine(f, AdapterAssembly + ".dll")));
        if (folder is null)
            throw new FileNotFoundException($"The module is not complete: {AdapterAssembly}.dll is in none of {string.Join(", ", folders)}. Install the module anew.", AdapterAssembly + ".dll");

        Assembly assembly = new AdapterContext(folder).LoadFromAssemblyPath(Path.Combine(folder, AdapterAssembly + ".dll"));
        Type type = assembly.GetType("IfBus.Sip.Adapters.SipAdapterFactory", throwOnError: true)!;
        return (ISipAdapterFactory)Activator.CreateInstance(type)!;
    }

    // A host that has the cmdlets among its own assemblies gets that copy, whichever path the module was imported from.
    private static IEnumerable<string> Folders(string? moduleBase)
    {
        if (moduleBase is not null) yield return Path.Combine(moduleBase, "bin", "private");
        if (Path.GetDirectoryName(typeof(AdapterLoader).Assembly.Location) is { Length: > 0 } own) yield return Path.Combine(own, "private");
    }

    private sealed class AdapterContext(string folder) : AssemblyLoadContext("IfBus.Sip.Adapters", isCollectible: false)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            // Answered first: a second copy of the contract would be other types of the same name.
            Assembly contract = typeof(SipCall).Assembly;
            if (assemblyName.Name == contract.GetName().Name) return contract;
            string path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
