using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Broker.Tests.Unit;

/// <summary>The direction of references and the house rules that a program can check (design, section 6; style, 6.3).</summary>
public partial class ArchitectureTests
{
    /// <summary>Blocking calls that have to be, each with its reason.</summary>
    private static readonly Dictionary<string, string> MayBlock = new()
    {
        ["Grains/Storage/WriteQueue.cs"] = "Monitor.Wait on the store's own writer thread, which has nothing else to do",
        ["Gateway/Transport/Epoll/EpollEventLoop.cs"] = "the loop's own epoll_wait",
    };

    [Theory]
    [InlineData("Grains.Interfaces", "")]
    [InlineData("Grains", "Grains.Interfaces")]
    [InlineData("Silo", "Grains Grains.Interfaces")]
    [InlineData("Gateway", "Grains.Interfaces Silo")]
    public void OnlyTheseProjectsAreReferenced_WhenBuilt(string project, string allowed)
    {
        var references = XDocument.Parse(SourceTree.Text($"{project}/{project}.csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Empty(references.Except(allowed.Split(' ')));
    }

    [Fact]
    public void OnlyTheEmbeddedSiloSeesTheSilo_WhenInGateway() => AssertNone(
        Mentions(["Gateway"], @"\bBroker\.Silo\b|\bBroker\.Grains\b(?!\.Interfaces\b)"), "Gateway/Hosting/EmbeddedSilo.cs");

    [Fact]
    public void GatewayIsNotSeen_WhenBehindIt() => AssertNone(
        Mentions(["Grains.Interfaces", "Grains", "Silo"], @"\bBroker\.Gateway\b"));

    [Fact]
    public void DotNettyStaysInGateway_WhenUsed() => AssertNone(Mentions(["Grains.Interfaces", "Grains", "Silo"], @"\bDotNetty\."));

    [Fact]
    public void AspNetStaysInAdmin_WhenUsed() => AssertNone(
        Mentions(SourceTree.ProductionProjects, @"\bMicrosoft\.AspNetCore\b"), "Gateway/Admin/", "Silo/Health/");

    [Fact]
    public void DriversStayInTheirFolders_WhenUsed() => AssertNone(
        Mentions(
            SourceTree.ProductionProjects,
            @"\b(Microsoft\.Data\.(Sqlite|SqlClient)|SQLitePCL|MySqlConnector|Npgsql|MongoDB|StackExchange\.Redis)\b"),
        "Grains/Storage/", "Grains/Bridges/", "Gateway/Security/");

    [Fact]
    public void NamespaceIsTheFolder_WhenDeclared()
    {
        var wrong = SourceTree.ProductionProjects.Append("Tests").SelectMany(SourceTree.Sources).SelectMany(path =>
        {
            // The benchmarks and the sample plugin are projects of their own below Tests.
            var folder = path.StartsWith("Tests/Bench/", StringComparison.Ordinal) || path.StartsWith("Tests/SamplePlugin/", StringComparison.Ordinal) ? path["Tests/".Length..] : path;
            var expected = "Broker." + Path.GetDirectoryName(folder)!.Replace('\\', '/').Replace('/', '.');
            return SourceTree.Code(path).Select(line => NamespaceLine().Match(line.Code)).Where(match => match.Success && match.Groups[1].Value != expected)
                .Select(match => $"{path}: {match.Groups[1].Value}");
        });
        Assert.Empty(wrong);
    }

    [Fact]
    public void NoFileIsLongerThan300Lines_WhenInProduction() => Assert.Equal(
        [],
        SourceTree.ProductionProjects.SelectMany(SourceTree.Sources).Where(path => SourceTree.Lines(path).Length > 300).Order(StringComparer.Ordinal));

    [Fact]
    public void NothingBlocks_WhenInProduction() => AssertNone(
        Mentions(SourceTree.ProductionProjects, @"\bThread\.Sleep\b|\.Result\b(?!\s*=[^=])|\.Wait\(|\.GetAwaiter\(\)\.GetResult\(\)"), [.. MayBlock.Keys]);

    /// <summary>The lines of code that match, as `path:line: code`.</summary>
    private static IEnumerable<string> Mentions(IEnumerable<string> folders, string pattern)
    {
        var regex = new Regex(pattern);
        return folders.SelectMany(SourceTree.Sources).SelectMany(path =>
            SourceTree.Code(path).Where(line => regex.IsMatch(line.Code)).Select(line => $"{path}:{line.Line}: {line.Code.Trim()}"));
    }

    private static void AssertNone(IEnumerable<string> mentions, params string[] except) =>
        Assert.DoesNotContain(mentions, mention => !except.Any(place => mention.StartsWith(place, StringComparison.Ordinal)));

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)")]
    private static partial Regex NamespaceLine();
}
