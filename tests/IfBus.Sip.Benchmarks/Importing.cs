using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using System.Reflection.Emit;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>
/// Milliseconds for Import-Module in a fresh process: a binary module with one empty cmdlet, the same with one view and one
/// type (which PowerShell takes for any module that has some, however few), and ours.
/// </summary>
internal static class Importing
{
    public static async Task RunAsync(int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("ifbus-import").FullName;
        string[] manifests = [MakeModule(folder, "Empty", ""), MakeModule(folder, "EmptyWithView", "FormatsToProcess = @('One.Format.ps1xml'); TypesToProcess = @('One.Types.ps1xml');"), Repository.StagedModule];
        File.WriteAllText(
            Path.Combine(folder, "One.Format.ps1xml"),
            "<Configuration><ViewDefinitions><View><Name>One</Name><ViewSelectedBy><TypeName>One</TypeName></ViewSelectedBy><TableControl><TableHeaders/><TableRowEntries><TableRowEntry><TableColumnItems><TableColumnItem><PropertyName>A</PropertyName></TableColumnItem></TableColumnItems></TableRowEntry></TableRowEntries></TableControl></View></ViewDefinitions></Configuration>");
        File.WriteAllText(
            Path.Combine(folder, "One.Types.ps1xml"),
            "<Types><Type><Name>One</Name><Members><MemberSet><Name>PSStandardMembers</Name><Members><NoteProperty><Name>SerializationDepth</Name><Value>2</Value></NoteProperty></Members></MemberSet></Members></Type></Types>");
        List<double>[] times = [[], [], []];
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
        Figures.Row("import of an empty one with a view and a type", times[1], "ms", times[0]);
        Figures.Row("import of this module", times[2], "ms", times[0]);
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

    private static string MakeModule(string folder, string name, string more)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
        TypeBuilder cmdlet = assembly.DefineDynamicModule(name).DefineType("GetNothing", TypeAttributes.Public, typeof(PSCmdlet));
        cmdlet.SetCustomAttribute(new CustomAttributeBuilder(typeof(CmdletAttribute).GetConstructor([typeof(string), typeof(string)])!, ["Get", "Nothing"]));
        cmdlet.DefineDefaultConstructor(MethodAttributes.Public);
        cmdlet.CreateType();
        assembly.Save(Path.Combine(folder, name + ".dll"));
        string manifest = Path.Combine(folder, name + ".psd1");
        File.WriteAllText(manifest, $"@{{ RootModule = '{name}.dll'; ModuleVersion = '1.0'; CompatiblePSEditions = @('Core'); {more} CmdletsToExport = @('Get-Nothing'); FunctionsToExport = @(); AliasesToExport = @(); VariablesToExport = @() }}");
        return manifest;
    }
}
