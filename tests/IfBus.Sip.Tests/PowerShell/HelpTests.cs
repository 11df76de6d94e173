using System.Management.Automation;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>The help against the cmdlets: the markdown that people write, and the file made from it that Get-Help reads.</summary>
public sealed partial class HelpTests
{
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    private static readonly Dictionary<string, Type> Cmdlets = Module()
        .GetExportedTypes()
        .Where(t => t.GetCustomAttribute<CmdletAttribute>() is not null)
        .ToDictionary(t => $"{t.GetCustomAttribute<CmdletAttribute>()!.VerbName}-{t.GetCustomAttribute<CmdletAttribute>()!.NounName}");

    private static readonly Dictionary<string, XElement> Compiled = XDocument
        .Load(Path.Combine(Repository.Root, "en-US", "IfBus.Sip.PowerShell.dll-Help.xml"))
        .Root!.Elements(Command + "command")
        .ToDictionary(c => (string)c.Element(Command + "details")!.Element(Command + "name")!);

    private static string Folder => Path.Combine(Repository.Root, "src", "IfBus.Sip.PowerShell", "Help");

    public static TheoryData<string> Names => [.. Cmdlets.Keys.Order(StringComparer.Ordinal)];

    [Fact]
    public void There_is_help_of_the_cmdlets_and_of_nothing_else()
    {
        IEnumerable<string> expected = Cmdlets.Keys.Order(StringComparer.Ordinal);
        Assert.NotEmpty(expected);
        Assert.Equal(expected, Directory.GetFiles(Folder, "*.md").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));
        Assert.Equal(expected, Compiled.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_parameter_has_text_and_every_text_a_parameter(string name)
    {
        string page = Page(name);
        string[] expected = [.. ParametersOf(Cmdlets[name]).Keys.Order(StringComparer.Ordinal)];
        Dictionary<string, string> written = WrittenParameters(page);
        Dictionary<string, string> compiled = Compiled[name].Element(Command + "parameters")!.Elements(Command + "parameter")
            .ToDictionary(p => (string)p.Element(Maml + "name")!, p => Text(p.Element(Maml + "description")!));
        Assert.Equal(expected, written.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(expected, compiled.Keys.Order(StringComparer.Ordinal));
        foreach (string parameter in expected)
        {
            Assert.True(written[parameter].Length > 0, $"{name} -{parameter} has no text");
            Assert.Matches($@"-{parameter}\b", Section(page, "SYNTAX"));
            // Not the same: build.ps1 -Task Help was not run after the change.
            Assert.Equal(written[parameter], compiled[parameter]);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_types_are_those_of_the_parameters(string name)
    {
        string page = Page(name);
        foreach ((string parameter, Type type) in ParametersOf(Cmdlets[name]))
        {
            Match stated = Regex.Match(page, $@"^### -{parameter}\n.*?^Type: (?<type>\S+)$", RegexOptions.Multiline | RegexOptions.Singleline);
            Assert.Equal((Nullable.GetUnderlyingType(type) ?? type).FullName, stated.Groups["type"].Value);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_cmdlet_has_synopsis_description_examples_and_notes(string name)
    {
        string page = Page(name);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        XElement compiled = Compiled[name];
        Same(Section(page, "SYNOPSIS"), compiled.Element(Command + "details")!.Element(Maml + "description"));
        Same(Section(page, "DESCRIPTION"), compiled.Element(Maml + "description"));
        Same(Section(page, "NOTES"), compiled.Element(Maml + "alertSet"));
        string[] examples = [.. CodeBlock().Matches(Section(page, "EXAMPLES")).Select(m => $"{m.Groups["code"].Value}\n\n{m.Groups["output"].Value}")];
        Assert.True(examples.Length >= 2, $"{name} has {examples.Length} examples");
        Assert.Equal(examples.Select(Plain), compiled.Element(Command + "examples")!.Elements(Command + "example").Select(e => Plain((string)e.Element(Dev + "code")!)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Examples_fit_a_window_of_80_columns(string name)
    {
        // Get-Help indents them by four.
        foreach (Match example in CodeBlock().Matches(Section(Page(name), "EXAMPLES")))
            Assert.All(example.Value.Split('\n'), l => Assert.True(l.Length <= 76, $"{name}: {l}"));
    }

    [Fact]
    public void The_settings_of_a_hash_table_are_all_named()
    {
        FieldInfo settings = Cmdlets["Connect-SipServer"].BaseType!.GetField("Settings", BindingFlags.NonPublic | BindingFlags.Static)!;
        foreach (string name in new[] { "Connect-SipServer", "Test-SipServerConfiguration" })
        {
            string text = WrittenParameters(Page(name))["Configuration"];
            Assert.All((string[])settings.GetValue(null)!, s => Assert.Matches($@"\b{s}\b", text));
        }
    }

    [Fact]
    public void The_topics_fit_a_window_of_72_columns()
    {
        foreach (string topic in new[] { "about_IfBus.Sip", "about_IfBus.Sip_Kamailio", "about_IfBus.Sip_OpenSIPS", "about_IfBus.Sip_Servers", "about_IfBus.Sip_Simulator" })
        {
            string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "en-US", topic + ".help.txt"));
            Assert.Equal(["TOPIC", "    " + topic], lines.Take(2));
            Assert.All(lines, l => Assert.True(l.Length <= 72 && l.All(c => c is >= ' ' and <= '~'), $"{topic}: {l}"));
        }
    }

    private static Assembly Module() => Assembly.LoadFrom(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "bin", "IfBus.Sip.PowerShell.dll"));

    private static Dictionary<string, Type> ParametersOf(Type cmdlet)
    {
        var parameters = cmdlet.GetProperties().Where(p => p.GetCustomAttributes<ParameterAttribute>().Any()).ToDictionary(p => p.Name, p => p.PropertyType);
        if (cmdlet.GetCustomAttribute<CmdletAttribute>()!.SupportsShouldProcess) parameters["WhatIf"] = parameters["Confirm"] = typeof(SwitchParameter);
        if (cmdlet.GetCustomAttribute<CmdletAttribute>()!.SupportsPaging)
        {
            parameters["First"] = parameters["Skip"] = typeof(ulong);
            parameters["IncludeTotalCount"] = typeof(SwitchParameter);
        }

        return parameters;
    }

    private static string Page(string name) => File.ReadAllText(Path.Combine(Folder, name + ".md")).ReplaceLineEndings("\n");

    private static Dictionary<string, string> WrittenParameters(string page) =>
        ParameterText().Matches(page).ToDictionary(m => m.Groups["name"].Value, m => Plain(m.Groups["text"].Value));

    private static string Section(string page, string title)
    {
        Match section = Regex.Match(page, $@"^## {title}\n(?<text>.*?)(?=^## |\z)", RegexOptions.Multiline | RegexOptions.Singleline);
        return section.Groups["text"].Value;
    }

    private static void Same(string written, XElement? compiled)
    {
        Assert.NotEqual("", Plain(written));
        Assert.Equal(Plain(written), compiled is null ? null : Text(compiled));
    }

    private static string Text(XElement element) => Plain(string.Join(' ', element.Descendants(Maml + "para").Select(p => p.Value)));

    private static string Plain(string text) => Blanks().Replace(text, " ").Trim();

    [GeneratedRegex(@"^### -(?<name>\w+)\n(?<text>.*?)^```yaml$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ParameterText();

    [GeneratedRegex(@"^```powershell\n(?<code>.*?)\n```$(\n\n```output\n(?<output>.*?)\n```$)?", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
