using System.Reflection;
using System.Runtime.Loader;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// Loads the adapter library, once a process and on first use, into a load context of its own: what it brings along can
/// neither disturb nor be disturbed by what other modules have loaded. The types that users hold are shared.
/// </summary>
internal static class AdapterLoader
{
    private static readonly Lazy<ISipAdapterFactory> Loaded = new(Load);

    /// <summary>The factory of the adapter library.</summary>
    public static ISipAdapterFactory Factory => Loaded.Value;

    private static ISipAdapterFactory Load()
    {
        string folder = Path.Combine(Path.GetDirectoryName(typeof(AdapterLoader).Assembly.Location)!, "private");
        string path = Path.Combine(folder, "IfBus.Sip.Adapters.dll");
        if (!File.Exists(path)) throw new FileNotFoundException($"The module is not complete: '{path}' is missing. Install it anew.", path);
        Assembly assembly = new PrivateContext(folder).LoadFromAssemblyPath(path);
        return (ISipAdapterFactory)Activator.CreateInstance(assembly.GetType("IfBus.Sip.Adapters.SipAdapterFactory", throwOnError: true)!)!;
    }

    private sealed class PrivateContext(string folder) : AssemblyLoadContext("IfBus.Sip")
    {
        private static readonly Assembly Shared = typeof(ISipAdapter).Assembly;

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            // The contract must be the very instance that the cmdlets use, or no type would fit.
            if (assemblyName.Name == Shared.GetName().Name) return Shared;
            string path = Path.Combine(folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
