"""Why a file is refused: one code and one sentence for each, never the file's name or content."""

from __future__ import annotations

from skills_registry.foundation.errors import FileRefused

_SAVE_ZH = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新上传。"
_SAVE_EN = "open it in Excel or WPS, save it as .xlsx and upload that."

#: Code → Chinese and English sentence, templates over the refusal's facts.
REFUSALS: dict[str, tuple[str, str]] = {
    "file_empty": (
        "文件是空的，请确认表格已保存后重新上传。",
        "The file is empty; save the sheet and upload it again.",
    ),
    "file_too_large": (
        "文件超过{limit_mb} MB，请删去图片和多余的工作表，或分成几份上传。",
        "The file is larger than {limit_mb} MB; remove pictures and spare worksheets, or upload it in parts.",
    ),
    "file_encrypted": (
        "文件设有打开密码，请取消密码后重新上传。",
        "The file is protected by a password; remove the password and upload it again.",
    ),
    "file_too_old": (
        "文件是很早版本的 Excel 格式，" + _SAVE_ZH,
        "The file is in a very old Excel format; " + _SAVE_EN,
    ),
    "file_is_binary_workbook": (
        "文件是 .xlsb 格式，" + _SAVE_ZH,
        "The file is an .xlsb workbook; " + _SAVE_EN,
    ),
    "file_is_opendocument": (
        "文件是 .ods 等开放文档格式，" + _SAVE_ZH,
        "The file is an OpenDocument file (.ods); " + _SAVE_EN,
    ),
    "file_is_web_page": (
        "文件其实是网页，只是扩展名写成了表格，" + _SAVE_ZH,
        "The file is really a web page under a spreadsheet's name; " + _SAVE_EN,
    ),
    "file_is_xml_spreadsheet": (
        "文件是旧系统导出的 XML 表格，" + _SAVE_ZH,
        "The file is an XML spreadsheet as old systems export it; " + _SAVE_EN,
    ),
    "file_is_document": (
        "这是文字文档，不是表格，请把名单填入 .xlsx 表格后上传。",
        "This is a text document and no spreadsheet; put the list into an .xlsx sheet and upload that.",
    ),
    "file_is_presentation": (
        "这是演示文稿，不是表格，请上传 .xlsx 表格。",
        "This is a presentation and no spreadsheet; upload an .xlsx sheet.",
    ),
    "file_is_pdf": (
        "这是 PDF，不是表格，请上传原始的 .xlsx 表格。",
        "This is a PDF and no spreadsheet; upload the original .xlsx sheet.",
    ),
    "file_is_picture": (
        "这是图片，不是表格，请上传 .xlsx 表格，不要拍照或截图。",
        "This is a picture and no spreadsheet; upload an .xlsx sheet, not a photograph.",
    ),
    "file_is_archive": (
        "这是压缩包，请解压后上传其中的 .xlsx 表格。",
        "This is an archive; unpack it and upload the .xlsx sheet inside.",
    ),
    "file_encoding_unknown": (
        "无法辨认文本文件的编码，请另存为 .xlsx 或“CSV UTF-8”后重新上传。",
        "The encoding of the text file is unknown; save it as .xlsx or as 'CSV UTF-8' and upload that.",
    ),
    "file_unknown": (
        "无法辨认文件格式，请上传 .xlsx、.xls 或 .csv 表格。",
        "The file's format is unknown; upload an .xlsx, .xls or .csv sheet.",
    ),
    "file_broken": (
        "文件已损坏或没有传完整，请在 Excel 或 WPS 中打开检查，另存为新的 .xlsx 后重新上传。",
        "The file is damaged or incomplete; open it in Excel or WPS, save it as a new .xlsx and upload that.",
    ),
    "file_unsafe": (
        "文件内部结构异常，为安全起见不予读取；请把名单复制到新建的工作簿，保存为 .xlsx 后上传。",
        "The file's inner structure is unsafe to read; copy the list into a new workbook, save and upload that.",
    ),
    "file_too_demanding": (
        "表格占用的行列范围或解压后的体积过大，无法读取；请把名单复制到新建的工作簿，保存为 .xlsx 后上传。",
        "The sheet spans too many cells or unpacks too large; copy the list into a new workbook and upload that.",
    ),
    "too_many_rows": (
        "表格超过{limit}行，请分成几份上传，并删去名单下方多余的内容。",
        "The sheet has more than {limit} rows; upload it in parts and delete what stands below the list.",
    ),
    "too_many_columns": (
        "表格超过{limit}列，请删去右侧多余的列后重新上传。",
        "The sheet has more than {limit} columns; delete the spare ones at the right and upload it again.",
    ),
    "header_not_found": (
        "没有找到表头，请确认表格前{rows}行内有一行列名，至少包括：{columns}。",
        "No header was found; the first {rows} rows must hold a line of column names, at least: {columns}.",
    ),
    "columns_missing": (
        "表头缺少以下列：{columns}。请补上后重新上传。",
        "The header lacks these columns: {columns}. Add them and upload the sheet again.",
    ),
    "column_ambiguous": (
        "表头中“{column}”出现了不止一列，请只保留一列后重新上传。",
        "More than one column is headed '{column}'; keep one of them and upload the sheet again.",
    ),
    "no_rows": (
        "表头下面没有数据行，请填写名单后重新上传。",
        "There are no rows below the header; fill in the list and upload it again.",
    ),
}


def refusal(code: str, **facts: str | int) -> FileRefused:
    """The error for one of the codes above, to be raised by the caller."""
    zh, en = REFUSALS[code]
    return FileRefused(code=code, zh=zh, en=en, **facts)


class Unreadable(Exception):
    """Inside the reading child: the file is refused under this code; the parent makes the sentence."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
