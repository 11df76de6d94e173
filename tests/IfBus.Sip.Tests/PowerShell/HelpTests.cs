using System.Management.Automation;
using System.Management.Automation.Language;
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
        Assert.True(examples.Length >= 3, $"{name} has {examples.Length} examples");
        Assert.Equal(examples.Select(Plain), compiled.Element(Command + "examples")!.Elements(Command + "example").Select(e => Plain((string)e.Element(Dev + "code")!)));
    }

    /// <summary>Titles and explanations too: a page that was changed afterwards has build.ps1 -Task Help to be run again.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void The_compiled_examples_are_those_of_the_page(string name)
    {
        XElement[] compiled = [.. Compiled[name].Element(Command + "examples")!.Elements(Command + "example")];
        Match[] written = [.. ExampleBlock().Matches(Section(Page(name), "EXAMPLES")).Cast<Match>()];
        Assert.Equal(written.Select(m => m.Groups["title"].Value.Trim()), compiled.Select(e => ((string)e.Element(Maml + "title")!).Trim(' ', '-')));
        Assert.Equal(written.Select(m => Plain(CodeBlock().Replace(m.Groups["body"].Value, ""))), compiled.Select(e => Text(e.Element(Dev + "remarks")!)));
        Assert.All(written, m => Assert.NotEqual("", Plain(CodeBlock().Replace(m.Groups["body"].Value, ""))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Examples_parse_and_name_parameters_that_there_are(string name)
    {
        int uses = 0;
        foreach (Match example in CodeBlock().Matches(Section(Page(name), "EXAMPLES")))
        {
            ScriptBlockAst tree = Parser.ParseInput(example.Groups["code"].Value, out _, out ParseError[] errors);
            Assert.True(errors.Length == 0, $"{name}: {errors.FirstOrDefault()?.Message} in {example.Groups["code"].Value}");
            foreach (CommandAst command in tree.FindAll(a => a is CommandAst, searchNestedScriptBlocks: true).Cast<CommandAst>())
            {
                if (command.GetCommandName() is not { } called || !called.Contains("-Sip", StringComparison.OrdinalIgnoreCase)) continue;
                (string known, Type type) = Cmdlets.SingleOrDefault(c => c.Key.Equals(called, StringComparison.OrdinalIgnoreCase));
                Assert.True(known is not null, $"{name}: there is no {called}");
                if (called.Equals(name, StringComparison.OrdinalIgnoreCase)) uses++;
                string[] parameters = [.. ParametersOf(type).Keys, .. Aliases(type), .. Cmdlet.CommonParameters];
                foreach (CommandParameterAst parameter in command.CommandElements.OfType<CommandParameterAst>())
                    Assert.True(parameters.Any(p => p.Equals(parameter.ParameterName, StringComparison.OrdinalIgnoreCase)), $"{name}: {called} has no -{parameter.ParameterName}");
            }
        }

        Assert.True(uses > 0, $"{name}: no example uses it");
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
        Type setting = Cmdlets["Connect-SipServer"].Assembly.GetType("IfBus.Sip.PowerShell.Hosting.ServerSetting", throwOnError: true)!;
        string[] settings = [.. ((IEnumerable<object>)setting.GetField("All")!.GetValue(null)!).Select(s => (string)setting.GetProperty("Name")!.GetValue(s)!)];
        Assert.NotEmpty(settings);
        foreach (string name in new[] { "Connect-SipServer", "Test-SipServerConfiguration", "Register-SipServer" })
        {
            string text = WrittenParameters(Page(name))["Configuration"];
            Assert.All(settings, s => Assert.Matches($@"\b{s}\b", text));
        }
    }

    [Fact]
    public void The_topics_fit_a_window_of_72_columns()
    {
        string[] topics = [.. Directory.GetFiles(Path.Combine(Repository.Root, "en-US"), "about_*.help.txt").Select(f => Path.GetFileName(f)[..^".help.txt".Length])];
        foreach (string needed in new[] { "", "_Calls", "_Events", "_Simulator", "_Security", "_Troubleshooting", "_Testing", "_Kamailio", "_OpenSIPS", "_Servers" }) Assert.Contains("about_IfBus.Sip" + needed, topics);
        foreach (string topic in topics)
        {
            string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "en-US", topic + ".help.txt"));
            Assert.Equal(["TOPIC", "    " + topic], lines.Take(2));
            Assert.All(lines, l => Assert.True(l.Length <= 72 && l.All(c => c is >= ' ' and <= '~'), $"{topic}: {l}"));
            // What they name there is: cmdlets, and other topics.
            string text = string.Join('\n', lines);
            Assert.All(CmdletName().Matches(text).Select(m => m.Value), c => Assert.True(Cmdlets.ContainsKey(c), $"{topic}: {c}"));
            Assert.All(TopicName().Matches(text).Select(m => m.Value), t => Assert.Contains(t, topics));
        }
    }

    private static IEnumerable<string> Aliases(Type cmdlet) => cmdlet.GetProperties().SelectMany(p => p.GetCustomAttributes<AliasAttribute>()).SelectMany(a => a.AliasNames);

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

    [GeneratedRegex(@"^### (?<title>[^\n]+)\n(?<body>.*?)(?=^### |\z)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ExampleBlock();

    [GeneratedRegex(@"\b[A-Z][a-z]+-Sip[A-Z][A-Za-z]+\b")]
    private static partial Regex CmdletName();

    [GeneratedRegex(@"\babout_IfBus\.Sip\w*\b")]
    private static partial Regex TopicName();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
