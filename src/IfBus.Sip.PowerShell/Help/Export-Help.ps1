# Makes IfBus.Sip.PowerShell.dll-Help.xml from the markdown beside this script. Needs Microsoft.PowerShell.PlatyPS 1.0 or later.
# A new cmdlet needs a page, NewCmdlet.md: copy that of a like one. An example is a title, a ```powershell block, what it shows in
# 76 columns in an ```output block if it shows anything, and a text. What is true of one server only begins with its name:
# On Asterisk: ...
# A new parameter needs its place under SYNTAX on the page of its cmdlet, and its section with text and yaml; copy those of
# a like one. A new setting of -Configuration needs its name in the text of -Configuration. HelpTests says what is missing.
[CmdletBinding()]
param(
    # The folder that the file is written to.
    [Parameter(Mandatory)]
    [string] $OutputFolder
)

$ErrorActionPreference = 'Stop'
Import-Module Microsoft.PowerShell.PlatyPS -MinimumVersion 1.0.0

$name = 'IfBus.Sip.PowerShell.dll-Help.xml'
$scratch = Join-Path ([IO.Path]::GetTempPath()) ([guid]::NewGuid())
try {
    $pages = (Get-ChildItem $PSScriptRoot -Filter *.md | Sort-Object Name).FullName
    $commands = Import-MarkdownCommandHelp -Path $pages
    $null = Export-MamlCommandHelp -CommandHelp $commands -OutputFolder $scratch -Force
    $file = (Get-ChildItem $scratch -Recurse -Filter $name).FullName
    $help = [xml]::new()
    $help.Load($file)
}
finally {
    Remove-Item $scratch -Recurse -Force -ErrorAction Ignore
}

$names = [Xml.XmlNamespaceManager]::new($help.NameTable)
$names.AddNamespace('command', 'http://schemas.microsoft.com/maml/dev/command/2004/10')
$names.AddNamespace('dev', 'http://schemas.microsoft.com/maml/dev/2004/10')
$names.AddNamespace('maml', 'http://schemas.microsoft.com/maml/2004/10')

function Add-Paragraph($Parent, [string] $Text) {
    $paragraph = $help.CreateElement('maml', 'para', $names.LookupNamespace('maml'))
    $paragraph.InnerText = $Text
    $null = $Parent.AppendChild($paragraph)
}

# Examples: the export leaves code in its markdown fence, puts control characters between paragraphs, and trims lines of tables.
foreach ($command in $commands) {
    $nodes = $help.SelectNodes("//command:command[command:details/command:name='$($command.Title)']/command:examples/command:example", $names)
    for ($i = 0; $i -lt $nodes.Count; $i++) {
        $text = $command.Examples[$i].Remarks -replace '\r'
        if ($text -notmatch '(?s)```powershell\n(?<code>.*?)\n```(?<rest>.*)') { throw "An example of $($command.Title) has no powershell code: $($nodes[$i].title)" }
        $code, $rest = $Matches.code, $Matches.rest
        # Get-Help leaves only code as it is, so what the code shows stands there too.
        if ($rest -match '(?s)^\s*```output\n(?<output>.*?)\n```(?<rest>.*)') { $code, $rest = "$code`n`n$($Matches.output)", $Matches.rest }
        $nodes[$i].SelectSingleNode('maml:introduction', $names).RemoveAll()
        $nodes[$i].SelectSingleNode('dev:code', $names).InnerText = $code
        $remarks = $nodes[$i].SelectSingleNode('dev:remarks', $names)
        $rest -split '\n\n' | Where-Object { $_.Trim() } | ForEach-Object { Add-Paragraph $remarks $_.Trim() }
    }
}

# Paragraphs are wrapped in the markdown; Get-Help wraps them to the window. Lines of a list stay lines.
foreach ($whole in @($help.SelectNodes('//maml:para', $names))) {
    $parent = $whole.ParentNode
    foreach ($text in $whole.InnerText -split '\n\n') {
        $paragraph = $help.CreateElement('maml', 'para', $names.LookupNamespace('maml'))
        $paragraph.InnerText = $text -replace '\n(?!- )\s*', ' '
        $null = $parent.InsertBefore($paragraph, $whole)
    }

    $null = $parent.RemoveChild($whole)
}

# The export leaves out what a parameter is when it is not given.
foreach ($command in $commands) {
    foreach ($parameter in $command.Parameters | Where-Object DefaultValue) {
        $node = $help.SelectSingleNode("//command:command[command:details/command:name='$($command.Title)']/command:parameters/command:parameter[maml:name='$($parameter.Name)']", $names)
        $default = $help.CreateElement('dev', 'defaultValue', $names.LookupNamespace('dev'))
        $default.InnerText = $parameter.DefaultValue
        $null = $node.AppendChild($default)
    }
}

# There is no help on the web, so no link to it.
foreach ($link in $help.SelectNodes("//maml:navigationLink[maml:linkText='Online Version']", $names)) {
    $null = $link.ParentNode.RemoveChild($link)
}

$null = New-Item -ItemType Directory -Force $OutputFolder
$settings = [Xml.XmlWriterSettings]@{ Indent = $true; NewLineChars = "`n"; Encoding = [Text.UTF8Encoding]::new($false) }
$path = Join-Path (Resolve-Path $OutputFolder) $name
$writer = [Xml.XmlWriter]::Create($path, $settings)
try {
    $help.Save($writer)
    $writer.WriteWhitespace("`n")
}
finally {
    $writer.Dispose()
}

$path
