# Makes IfBus.Sip.PowerShell.dll-Help.xml from the markdown beside this script. Needs Microsoft.PowerShell.PlatyPS 1.0 or later.
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
    $null = Export-MamlCommandHelp -CommandHelp (Import-MarkdownCommandHelp -Path $pages) -OutputFolder $scratch -Force
    $file = (Get-ChildItem $scratch -Recurse -Filter $name).FullName
    $help = [xml]::new()
    $help.Load($file)
}
finally {
    Remove-Item $scratch -Recurse -Force -ErrorAction Ignore
}

$names = [Xml.XmlNamespaceManager]::new($help.NameTable)
'command', 'dev' | ForEach-Object { $names.AddNamespace($_, "http://schemas.microsoft.com/maml/dev/$_/2004/10") }
$names.AddNamespace('maml', 'http://schemas.microsoft.com/maml/2004/10')

function Add-Paragraph($Parent, [string] $Text) {
    $paragraph = $help.CreateElement('maml', 'para', $names.LookupNamespace('maml'))
    $paragraph.InnerText = $Text
    $null = $Parent.AppendChild($paragraph)
}

# Examples: the export leaves code in its markdown fence and puts control characters between paragraphs.
foreach ($example in $help.SelectNodes('//command:example', $names)) {
    $introduction = $example.SelectSingleNode('maml:introduction', $names)
    $text = ($introduction.SelectNodes('maml:para', $names) | ForEach-Object { $_.InnerText.Trim([char]0x80) } | Where-Object { $_ }) -join "`n`n"
    $introduction.RemoveAll()
    if ($text -notmatch '(?s)```powershell\n(?<code>.*?)\n```(?<rest>.*)') { throw "An example has no powershell code: $($example.title)" }
    $example.SelectSingleNode('dev:code', $names).InnerText = $Matches.code
    $remarks = $example.SelectSingleNode('dev:remarks', $names)
    $Matches.rest -split '\n\n' | Where-Object { $_.Trim() } | ForEach-Object { Add-Paragraph $remarks $_.Trim() }
}

# Paragraphs are wrapped in the markdown; Get-Help wraps them to the window. Lines of a list stay lines.
foreach ($paragraph in $help.SelectNodes('//maml:para', $names)) {
    $paragraph.InnerText = $paragraph.InnerText -replace '\n(?!- )\s*', ' '
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
