using System.Management.Automation;

namespace IfBus.Sip.Hosting;

/// <summary>Removing the module closes the connections and simulators of this session.</summary>
public sealed class ModuleCleanup : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => ServerStore.Current.Close();
}
