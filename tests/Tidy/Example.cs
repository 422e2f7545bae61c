using System.Text;
using System.Text.Json;

namespace Statehouse.Tidy;

/// <summary>A block of commands in a document and what it is said to answer.</summary>
/// <param name="Line">Of the commands.</param>
/// <param name="Command">For bash.</param>
/// <param name="Answer">The block that follows; null where none does.</param>
internal sealed record Example(int Line, string Command, CodeBlock? Answer)
{
    public static IReadOnlyList<Example> In(Markdown document)
    {
        var examples = new List<Example>();
        for (int i = 0; i < document.Blocks.Count; i++)
        {
            if (document.Blocks[i].Language != "bash")
                continue;
            CodeBlock? next = document.Blocks.ElementAtOrDefault(i + 1);
            examples.Add(new Example(
                document.Blocks[i].Line, document.Blocks[i].Text, next?.Language is "json" or "text" ? next : null));
        }
        return examples;
    }

    /// <returns>null where the output is as said.</returns>
    public string? Problem(string output)
    {
        if (Answer?.Language == "text")
            return TextPattern.Difference(Answer.Text, output);
        List<JsonElement> answers;
        try
        {
            answers = Parse(output);
        }
        catch (JsonException error)
        {
            return Answer is null ? null : $"not JSON: {error.Message}";
        }
        // An error that no one announced would otherwise pass as just another answer.
        IEnumerable<JsonElement> announced = Answer is null ? answers : answers.SkipLast(1);
        foreach (JsonElement answer in announced)
        {
            if (answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("code", out _))
                return $"an error that the document does not show: {answer}";
        }
        if (Answer is null)
            return null;
        if (answers.Count == 0)
            return "no answer";
        using JsonDocument expected = JsonDocument.Parse(Answer.Text);
        return JsonPattern.Difference("$", expected.RootElement, answers[^1]);
    }

    /// <summary>All JSON values of a text, one after the other.</summary>
    private static List<JsonElement> Parse(string text)
    {
        var values = new List<JsonElement>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { AllowMultipleValues = true });
        while (reader.Read())
        {
            using JsonDocument value = JsonDocument.ParseValue(ref reader);
            values.Add(value.RootElement.Clone());
        }
        return values;
    }
}
