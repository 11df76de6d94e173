using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Reflection.Emit;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>Milliseconds for Import-Module in a fresh process: a binary module with one empty cmdlet, and ours.</summary>
internal static class Importing
{
    public static async Task RunAsync(int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("ifbus-import").FullName;
        string[] manifests = [MakeEmptyModule(folder), Repository.StagedModule];
        List<double>[] times = [[], []];
        for (int round = -1; round < rounds; round++)
        {
            for (int i = 0; i < manifests.Length; i++)
            {
                using Process process = Requests.Start("import-one", manifests[i]);
                string output = await process.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
                await process.WaitForExitAsync().ConfigureAwait(false);
                if (round >= 0) times[i].Add(double.Parse(output, CultureInfo.InvariantCulture));
            }
        }

        Directory.Delete(folder, recursive: true);
        Figures.Row("import of an empty binary module", times[0], "ms");
        Figures.Row("import of this module", times[1], "ms", times[0]);
    }

    public static void One(string manifest)
    {
        using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using var shell = PowerShell.Create(runspace);
        // What every session has run by the time it imports anything.
        shell.AddScript("1 | ForEach-Object { $_ }").Invoke();
        shell.Commands.Clear();
        shell.AddCommand("Import-Module").AddParameter("Name", manifest);
        long begin = Stopwatch.GetTimestamp();
        shell.Invoke();
        double taken = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        if (shell.HadErrors) throw new InvalidOperationException(shell.Streams.Error[0].ToString());
        Console.Write(taken.ToString(CultureInfo.InvariantCulture));
    }

    private static string MakeEmptyModule(string folder)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Empty"), typeof(object).Assembly);
        TypeBuilder cmdlet = assembly.DefineDynamicModule("Empty").DefineType("GetNothing", TypeAttributes.Public, typeof(PSCmdlet));
        cmdlet.SetCustomAttribute(new CustomAttributeBuilder(typeof(CmdletAttribute).GetConstructor([typeof(string), typeof(string)])!, ["Get", "Nothing"]));
        cmdlet.DefineDefaultConstructor(MethodAttributes.Public);
        cmdlet.CreateType();
        assembly.Save(Path.Combine(folder, "Empty.dll"));
        string manifest = Path.Combine(folder, "Empty.psd1");
        File.WriteAllText(manifest, "@{ RootModule = 'Empty.dll'; ModuleVersion = '1.0'; CompatiblePSEditions = @('Core'); CmdletsToExport = @('Get-Nothing'); FunctionsToExport = @(); AliasesToExport = @(); VariablesToExport = @() }");
        return manifest;
    }
}
